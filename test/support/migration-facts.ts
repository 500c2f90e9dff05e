/** Facts about two equal nodes and a guest that may move, to be changed by each test. */
import type { GuestFacts, MigrationFacts } from '../../src/domain/check-migration.js';
import { parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import type { GuestNeeds } from '../../src/domain/guest-needs.js';
import type { DatagramFacts, LinkFacts, MigrationLinkFacts } from '../../src/domain/link-facts.js';
import type { MovingVolume } from '../../src/domain/moving-volume.js';
import type { NodeInventory, StorageFacts } from '../../src/domain/node-facts.js';
import type { VolumeLook } from '../../src/domain/check-volumes.js';

export const [node1, node2] = [parseNodeName('node1'), parseNodeName('node2')];
export const vmid = parseVmid(101);

export const storage = (changes: Partial<StorageFacts> = {}): StorageFacts => ({
  id: 'shared',
  type: 'dir',
  shared: true,
  enabled: true,
  identity: 'one',
  totalBytes: 1e12,
  freeBytes: 1e11,
  content: ['images', 'rootdir'],
  ...changes,
});

export function inventory(node: NodeName, changes: Partial<NodeInventory> = {}): NodeInventory {
  return {
    v: 1,
    node,
    bootId: 'boot',
    at: '2026-01-01T00:00:00Z',
    versions: { kedge: '0.1.0', protocol: 1, qemu: '7.2.22' },
    machineTypes: ['pc-q35-7.2'],
    cpu: { model: 'test', flags: ['sse2', 'avx'], cores: 2, accelerator: 'kvm' },
    memory: { totalBytes: 8e9, availableBytes: 4e9 },
    load: 0,
    bridges: ['vmbr0'],
    bridgeFacts: [{ name: 'vmbr0', vlanAware: true, mtu: 1_500 }],
    cluster: { name: 'lab', authority: 'AA:BB' },
    storages: [storage(), storage({ id: 'local', shared: false, identity: 'two' })],
    guests: [],
    slots: { bulk: 2 },
    ...changes,
  };
}

export const needs = (changes: Partial<GuestNeeds> = {}): GuestNeeds => ({
  lock: null,
  cores: 1,
  machine: 'q35',
  devices: [],
  nets: [{ key: 'net0', bridge: 'vmbr0', vlan: false, mtu: null }],
  encryption: [],
  vncClipboard: false,
  unsupported: [],
  pending: [],
  ...changes,
});

export const guest = (changes: Partial<GuestFacts> = {}): GuestFacts => ({
  movement: 'live',
  volumes: [],
  config: 'name: test\ncpu: kvm64',
  runningMachine: 'pc-q35-7.2',
  memoryBytes: 1e9,
  bridges: ['vmbr0'],
  storages: [{ id: 'shared', shared: true, identity: 'one', enabled: true }],
  needs: needs(),
  ...changes,
});

/** A disk on the storage `local`: 1 GB, a tenth of it allocated. */
export const disk = (changes: Partial<MovingVolume> = {}): MovingVolume => ({
  volumeId: 'local:101/vm-101-disk-0.raw',
  storage: 'local',
  format: 'raw',
  virtualBytes: 1e9,
  allocatedBytes: 1e8,
  ...changes,
});

export const look = (changes: Partial<VolumeLook> = {}): VolumeLook => ({
  volume: 'local:101/vm-101-disk-0.raw',
  storage: 'local',
  keys: ['scsi0'],
  inSnapshot: false,
  role: 'other',
  place: 'local',
  owner: 101,
  format: 'raw',
  path: '/images/101/vm-101-disk-0.raw',
  foreignType: null,
  unreadable: null,
  obstacles: [],
  clones: [],
  ...changes,
});

export function facts(changes: Partial<MigrationFacts> = {}): MigrationFacts {
  return {
    vmid,
    source: node1,
    target: node2,
    targetStorage: '',
    nodes: [node1, node2],
    targetStatus: { node: node2, bootId: 'boot', registeredAt: null, cordoned: false, silentSince: null, inventory: null, inventoryAgeMs: null },
    sourceSide: { findings: [], guest: guest(), inventory: inventory(node1) },
    targetSide: { findings: [], inventory: inventory(node2) },
    ...changes,
  };
}

export const onTarget = (changes: Partial<NodeInventory>): MigrationFacts => facts({ targetSide: { findings: [], inventory: inventory(node2, changes) } });

export const withGuest = (changes: Partial<GuestFacts>, others: Partial<MigrationFacts> = {}): MigrationFacts =>
  facts({ sourceSide: { findings: [], guest: guest(changes), inventory: inventory(node1) }, ...others });

/** No limit of the rate, the usual one of the blackout. */
export const LIMITS = { bandwidthLimit: 0, maxDowntimeMs: 300 } as const;

/** A good link from node1 to node2. */
export function link(changes: Partial<Extract<MigrationLinkFacts, { kind: 'probed' }>> = {}, datagrams: Partial<DatagramFacts> = {}): LinkFacts {
  return {
    from: node1,
    to: node2,
    control: { kind: 'answered', ownProtocol: 1, peerProtocol: 1, roundTripMs: 1, clockSkewMs: 0.4 },
    migration: {
      kind: 'probed',
      connects: true,
      bytesPerSecond: 1e9,
      busy: false,
      datagrams: { sent: 300, arrived: 300, largeSent: 6, largeArrived: 6, mtu: 1_500, roundTripMs: 0.2, ...datagrams },
      ...changes,
    },
  };
}
