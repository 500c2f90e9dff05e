/** Who is in the fleet at its start, and what each guest is: all told by numbers, so that every process knows it. */
import { parseGeneration, parseNodeName, parseVmid, type Generation, type NodeName, type Vmid } from '../../src/domain/ids.js';
import type { GuestSummary, NodeInventory } from '../../src/domain/node-facts.js';

const GIB = 2 ** 30;
const FIRST_VMID = 100;
const SIZES_GIB = [2, 4, 4, 8];
/** So much more memory than its guests take at the start each node has. */
const ROOM = 2;
/** About as many words as a real node tells of its processor and of its QEMU. */
const CPU_FLAGS = Array.from({ length: 110 }, (_, at) => `flag_${at}`);
const MACHINE_TYPES = Array.from({ length: 40 }, (_, at) => `pc-q35-${2 + Math.floor(at / 10)}.${at % 10}`);

export type FleetShape = Readonly<Record<'nodes' | 'guests', number>>;

export function fleetNodes({ nodes }: Pick<FleetShape, 'nodes'>): readonly NodeName[] {
  return Array.from({ length: nodes }, (_, at) => parseNodeName(`node${at + 1}`));
}

/** The guests of the node with this number, from 0, at the start. */
export function firstGuests({ nodes, guests }: FleetShape, at: number): readonly Vmid[] {
  return Array.from({ length: Math.ceil((guests - at) / nodes) }, (_, turn) => parseVmid(FIRST_VMID + at + turn * nodes));
}

export const FIRST_GENERATION = parseGeneration(1);

export const memoryOf = (vmid: Vmid): number => (SIZES_GIB[vmid % SIZES_GIB.length] ?? 4) * GIB;

/** What a node's heartbeat says, as long as that of a real node. */
export function fleetInventory(
  { nodes, guests }: FleetShape,
  { node, held }: { readonly node: NodeName; readonly held: ReadonlyMap<Vmid, { readonly generation: Generation }> },
): NodeInventory {
  const totalBytes = Math.ceil(guests / nodes) * Math.max(...SIZES_GIB) * ROOM * GIB;
  const takenBytes = [...held.keys()].reduce((sum, vmid) => sum + memoryOf(vmid), 0);
  return {
    v: 1,
    node,
    bootId: 'fleet',
    at: new Date().toISOString(),
    versions: { kedge: '0.1.0', protocol: 1, qemu: '7.2.22' },
    machineTypes: MACHINE_TYPES,
    cpu: { model: 'simulated', flags: CPU_FLAGS, cores: 64, accelerator: 'kvm' },
    memory: { totalBytes, availableBytes: totalBytes - takenBytes },
    load: held.size / 4,
    bridges: ['vmbr0', 'vmbr1'],
    storages: [
      { id: 'shared', type: 'nfs', shared: true, enabled: true, identity: 'one', totalBytes: 1e14, freeBytes: 5e13 },
      { id: 'local', type: 'dir', shared: false, enabled: true, identity: node, totalBytes: 1e12, freeBytes: 5e11 },
    ],
    guests: [...held].map(([vmid, { generation }]) => summaryOf(vmid, generation)),
    slots: { bulk: 2 },
  };
}

function summaryOf(vmid: Vmid, generation: Generation): GuestSummary {
  return {
    vmid,
    kind: 'qemu',
    name: `simulated-guest-${vmid}`,
    record: 'owned',
    generation,
    wanted: 'running',
    migrationId: null,
    qemu: 'running',
    memoryBytes: memoryOf(vmid),
    cores: 2,
    footprint: {
      onboot: true,
      lock: null,
      disks: [{ storage: 'shared', bytes: 32 * GIB }],
      media: [],
      bridges: ['vmbr0'],
      hostCpu: false,
      machineType: 'pc-q35-5.9',
      localDevices: [],
      cpuLoad: (vmid % 100) / 100,
    },
  };
}
