import { describe, expect, test } from 'vitest';
import { parseGeneration, parseMigrationId, parseNodeName, parseVmid, type NodeName } from '../../../../src/domain/ids.js';
import type { GuestFootprint, GuestSummary, NodeInventory, NodeStatus } from '../../../../src/domain/node-facts.js';
import { NO_PLACEMENT, type Placement } from '../../../../src/domain/plan/placement.js';
import { planEvacuation } from '../../../../src/domain/plan/plan-evacuation.js';
import { snapshotFromNodes, type RunningMove } from '../../../../src/domain/plan/snapshot-from-nodes.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from '../../../../src/domain/plan/snapshot.js';
import { parseClusterSnapshot } from '../../../../src/schema/cluster-snapshot.js';
import { inventory } from '../../../support/migration-facts.js';

const GIB = 2 ** 30;
const [node1, node2] = [parseNodeName('node1'), parseNodeName('node2')];
const vmid = parseVmid(101);

/** Typed face of vitest's matcher, which is `any`. */
const containing = (text: string): unknown => expect.stringContaining(text);

const footprint: GuestFootprint = {
  onboot: true,
  lock: null,
  disks: [{ storage: 'shared', bytes: GIB }],
  media: [],
  bridges: ['vmbr0'],
  hostCpu: false,
  machineType: 'pc-q35-7.2',
  localDevices: [],
  cpuLoad: 0.5,
};

const guest = (changes: Partial<GuestSummary> = {}): GuestSummary => ({
  vmid,
  kind: 'qemu',
  name: 'web',
  record: 'owned',
  generation: parseGeneration(3),
  wanted: 'running',
  migrationId: null,
  qemu: 'running',
  memoryBytes: GIB,
  cores: 2,
  footprint,
  ...changes,
});

const status = (node: NodeName, changes: Partial<NodeInventory> = {}, more: Partial<NodeStatus> = {}): NodeStatus => ({
  node,
  bootId: 'boot',
  registeredAt: '2026-01-01T00:00:00Z',
  cordoned: false,
  silentSince: null,
  inventory: inventory(node, { memory: { totalBytes: 16 * GIB, availableBytes: 15 * GIB }, ...changes }),
  inventoryAgeMs: 500,
  ...more,
});

const snapshot = (nodes: readonly NodeStatus[], given: { moves?: readonly RunningMove[]; placement?: Partial<Placement> } = {}): ClusterSnapshot =>
  snapshotFromNodes({ takenAt: '2026-01-01T00:00:01Z', nodes, moves: given.moves ?? [] }, { ...NO_PLACEMENT, ...given.placement });

const nodeOf = (seen: ClusterSnapshot, name: NodeName): SnapshotNode | undefined => seen.nodes.find((each) => each.name === name);
const guestOf = (nodes: readonly NodeStatus[], given: Parameters<typeof snapshot>[1] = {}): SnapshotGuest | undefined => snapshot(nodes, given).guests[0];

describe('a snapshot', () => {
  test('has what the planner needs of a guest and its node, and is valid for its own schema', () => {
    const seen = snapshot([status(node1, { guests: [guest()], speed: 2 }), status(node2)]);
    expect(seen.guests).toEqual([
      {
        vmid,
        kind: 'qemu',
        node: node1,
        running: true,
        memoryBytes: GIB,
        cores: 2,
        cpuLoad: 1,
        disks: [{ storage: 'shared', bytes: GIB }],
        bridges: ['vmbr0'],
        cpuFlags: [],
        machineType: 'pc-q35-7.2',
        localDevices: [],
        pinned: false,
        priority: 0,
        whenNotLive: 'skip',
        home: null,
      },
    ]);
    expect(nodeOf(seen, node1)).toMatchObject({ state: 'online', speed: 2, memoryBytes: 16 * GIB, reservedBytes: GIB });
    expect(nodeOf(seen, node1)?.storages).toEqual([
      { id: 'shared', identity: 'one', freeBytes: 1e11 },
      { id: 'local', identity: null, freeBytes: 1e11 },
    ]);
    expect(parseClusterSnapshot(JSON.stringify(seen))).toEqual(seen);
    expect(planEvacuation(seen, [node1]).moves).toMatchObject([{ vmid, to: node2, way: 'live' }]);
  });

  test('names a node that never reported, and puts nothing there', () => {
    const never = status(node2, {}, { bootId: null, inventory: null, inventoryAgeMs: null });
    const seen = snapshot([status(node1, { guests: [guest()] }), never]);
    expect(nodeOf(seen, node2)).toMatchObject({ state: 'silent', memoryBytes: 0 });
    expect(planEvacuation(seen, [node1]).moves).toEqual([]);
  });

  test('takes a cordoned node that is silent for silent, and leaves its guests there', () => {
    const silent = status(node1, { guests: [guest()] }, { cordoned: true, silentSince: '2026-01-01T00:00:00Z' });
    const seen = snapshot([silent, status(node2)]);
    expect(nodeOf(seen, node1)?.state).toBe('silent');
    expect(planEvacuation(seen, [node1])).toMatchObject({ moves: [], unplanned: [{ vmid, outcome: 'stuck', reason: 'node1 gives no answer' }] });
    expect(nodeOf(snapshot([status(node1, {}, { cordoned: true })]), node1)?.state).toBe('cordoned');
  });

  test('has a guest that was taken over from a silent node where its newer generation is', () => {
    const old = status(node1, { guests: [guest()] }, { silentSince: '2026-01-01T00:00:00Z' });
    const taken = guestOf([old, status(node2, { guests: [guest({ generation: parseGeneration(4) })] })]);
    expect(taken).toMatchObject({ node: node2, unmovable: containing('node1 has something of it') });
  });
});

describe('a migration that runs', () => {
  const migrationId = parseMigrationId('101-4').id;
  const local = { ...footprint, disks: [{ storage: 'local', bytes: GIB }] };
  const at1 = status(node1, { guests: [guest({ migrationId, footprint: local })] });

  test('counts its guest at both ends, with the disks that it copies, and does not plan it', () => {
    const at2 = status(node2, { guests: [guest({ record: 'incoming', generation: parseGeneration(4), migrationId, qemu: 'inmigrate' })] });
    const seen = snapshot([at1, at2], { moves: [{ vmid, target: node2 }] });
    expect(seen.guests).toMatchObject([{ vmid, node: node1, unmovable: 'it is being migrated' }]);
    expect(nodeOf(seen, node2)?.reservedBytes).toBe(2 * GIB);
    expect(nodeOf(seen, node2)?.storages).toContainEqual({ id: 'local', identity: null, freeBytes: 1e11 - GIB });
  });

  test('counts at its target before that shows anything of it', () => {
    const waiting = status(node1, { guests: [guest()] });
    const seen = snapshot([waiting, status(node2)], { moves: [{ vmid, target: node2 }] });
    expect(seen.guests).toMatchObject([{ node: node1, unmovable: 'it is being migrated' }]);
    expect(nodeOf(seen, node2)?.reservedBytes).toBe(2 * GIB);
  });

  test('whose target has it counts at the source as long as a process is there', () => {
    const left = status(node1, { guests: [guest({ record: 'released', qemu: 'postmigrate' })] });
    const arrived = status(node2, { guests: [guest({ generation: parseGeneration(4) })] });
    const seen = snapshot([left, arrived]);
    expect(seen.guests).toMatchObject([{ node: node2, unmovable: containing('node1') }]);
    expect(nodeOf(seen, node1)?.reservedBytes).toBe(2 * GIB);
  });
});

describe('a guest of which too little is known stays, and the reason is told', () => {
  const { vmid: number, kind, name, record, generation, wanted, migrationId, qemu, memoryBytes, cores } = guest();
  const old: GuestSummary = { vmid: number, kind, name, record, generation, wanted, migrationId, qemu, memoryBytes, cores };
  const unknownSize = (storage: string): GuestSummary => guest({ footprint: { ...footprint, disks: [{ storage, bytes: null }] } });
  test.each([
    ['a node with an older Kedge', old, 'Kedge on node1 is too old to tell what it needs'],
    ['a config that can not be read', guest({ footprint: null }), "its config on node1 can't be read"],
    ['a local disk that was not looked at', unknownSize('local'), "node1 can't tell yet how large its disks on local are"],
    ['a lock', guest({ footprint: { ...footprint, lock: 'backup' } }), 'it is locked (backup)'],
    ['no record', guest({ record: 'missing', generation: null }), 'node1 does not own it, its record is missing: "kedge reconcile 101" tells more'],
    [
      'a damaged record',
      guest({ record: 'unreadable', generation: null }),
      'node1 does not own it, its record is unreadable: "kedge reconcile 101" tells more',
    ],
  ])('%s', (_what, one, reason) => {
    const seen = snapshot([status(node1, { guests: [one] }), status(node2)]);
    expect(planEvacuation(seen, [node1])).toMatchObject({ moves: [], unplanned: [{ vmid, outcome: 'stuck', reason }] });
    expect(seen.guests).toMatchObject([{ running: true, memoryBytes: GIB }]);
  });

  test('the size of a disk on a shared storage does not matter', () => {
    expect(guestOf([status(node1, { guests: [unknownSize('shared')] })])?.unmovable).toBeUndefined();
  });

  test('an image in a drive is local when its storage is', () => {
    expect(guestOf([status(node1, { guests: [guest({ footprint: { ...footprint, media: ['local', 'shared'] } })] })])).toMatchObject({
      localDevices: ['a CD-ROM image on local'],
      disks: [{ storage: 'shared', bytes: GIB }],
    });
  });
});

describe('what a snapshot takes from the operator and the nodes', () => {
  test('wishes of kedge.yaml win over what a node declares, and what it declares over the default', () => {
    const declared = status(node1, { reserveBytes: 3 * GIB, speed: 2, guests: [guest()] });
    expect(nodeOf(snapshot([declared]), node1)).toMatchObject({ reservedBytes: 3 * GIB, speed: 2 });
    const placement = {
      nodes: new Map([[node1, { reserveBytes: 2 * GIB, speed: 4 }]]),
      guests: new Map([[vmid, { pinned: true, priority: 7, whenNotLive: 'wait' }]] as const),
    };
    const seen = snapshot([declared], { placement });
    expect(nodeOf(seen, node1)).toMatchObject({ reservedBytes: 2 * GIB, speed: 4 });
    expect(seen.guests).toMatchObject([{ pinned: true, priority: 7, whenNotLive: 'wait', cpuLoad: 2 }]);
  });

  test('memory that others than guests use is reserved', () => {
    const busy = status(node1, { memory: { totalBytes: 16 * GIB, availableBytes: 2 * GIB }, guests: [guest()] });
    expect(nodeOf(snapshot([busy]), node1)?.reservedBytes).toBe(13 * GIB);
  });

  test('a guest that was shown its node is bound to the flags that another node lacks', () => {
    const shown = guest({ footprint: { ...footprint, hostCpu: true } });
    const lesser = status(node2, { cpu: { model: 'old', flags: ['sse2'], cores: 2, accelerator: 'kvm' } });
    expect(guestOf([status(node1, { guests: [shown] }), lesser])?.cpuFlags).toEqual(['avx']);
  });

  test('a guest that a drain sent away belongs to that node, until it is back', () => {
    const away = { away: [{ vmid, at: '2026-01-01T00:00:00Z' }] };
    expect(guestOf([status(node1, {}, away), status(node2, { guests: [guest()] })])?.home).toBe(node1);
    expect(guestOf([status(node1, { guests: [guest()] }, away), status(node2)])?.home).toBeNull();
  });

  test('a storage that gives no answer is not there', () => {
    const [shared, local] = inventory(node1).storages;
    const half = status(node1, { storages: [{ ...(shared ?? fail()), enabled: false }, local ?? fail()] });
    expect(nodeOf(snapshot([half]), node1)?.storages.map(({ id }) => id)).toEqual(['local']);
  });
});

function fail(): never {
  throw new Error('The test has two storages');
}
