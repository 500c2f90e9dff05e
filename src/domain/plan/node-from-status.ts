import type { NodeInventory, NodeStatus } from '../node-facts.js';
import type { Placement } from './placement.js';
import type { SnapshotNode } from './snapshot.js';

/** Share of a node's memory that nobody declared, for the node itself and for what each QEMU takes beside its guest's memory. */
const RESERVED_SHARE = 1 / 16;

/** A node is heard when it says so itself: its entity may not have noticed yet that its inventory is gone. */
export function isSilent({ silentSince, inventory }: NodeStatus): boolean {
  return silentSince !== null || inventory === null;
}

/** One node for the planner. One that never reported has no room, so that it is named and nothing goes there. */
export function nodeFromStatus(status: NodeStatus, placement: Placement): SnapshotNode {
  const { node: name, inventory, cordoned } = status;
  const state = isSilent(status) ? 'silent' : cordoned ? 'cordoned' : 'online';
  const said = placement.nodes.get(name) ?? {};
  if (inventory === null) {
    const nothing = { cpuFlags: [], machineTypes: [], bridges: [], storages: [] };
    return { name, state, cores: 1, speed: said.speed ?? 1, accelerator: 'kvm', memoryBytes: 0, reservedBytes: 0, qemu: '0', ...nothing };
  }
  const { cpu, memory, versions, pressure } = inventory;
  return {
    name,
    state,
    cores: cpu.cores,
    speed: said.speed ?? inventory.speed ?? 1,
    accelerator: cpu.accelerator,
    cpuFlags: cpu.flags,
    memoryBytes: memory.totalBytes,
    reservedBytes: Math.max(said.reserveBytes ?? inventory.reserveBytes ?? Math.floor(memory.totalBytes * RESERVED_SHARE), othersBytes(inventory)),
    qemu: versions.qemu,
    machineTypes: inventory.machineTypes,
    bridges: inventory.bridges,
    // One that is not enabled, or gave no answer, is not there for the planner: nothing can be put on it.
    storages: inventory.storages
      .filter(({ enabled }) => enabled)
      .map(({ id, shared, identity, freeBytes }) => ({ id, identity: shared ? identity : null, freeBytes })),
    ...(pressure == null ? {} : { pressure }),
  };
}

/**
 * What is in use although no guest has it, even if each guest of the node had touched all of its memory: whatever the node does beside. Guests that have
 * touched less hide some of it, which is what the declared reserve is for.
 */
function othersBytes({ memory, guests }: NodeInventory): number {
  const ofGuests = guests.filter(({ qemu }) => qemu !== 'gone').reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return Math.max(0, memory.totalBytes - memory.availableBytes - ofGuests);
}
