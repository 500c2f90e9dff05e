import { parseNodeName } from '../../src/domain/ids.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from '../../src/domain/plan/snapshot.js';

/** A node for the planner with 16 cores, 64 GiB of memory, and a storage that all share. */
export function plainNode(name: string, more: Partial<SnapshotNode> = {}): SnapshotNode {
  return {
    name: parseNodeName(name),
    state: 'online',
    cores: 16,
    speed: 1,
    accelerator: 'kvm',
    cpuFlags: [],
    memoryBytes: 64 * 2 ** 30,
    reservedBytes: 0,
    qemu: '7.2.22',
    machineTypes: [],
    bridges: [],
    storages: [{ id: 'shared', identity: 'one', freeBytes: 1e13 }],
    ...more,
  };
}

/** A cluster of nodes that wishes nothing. */
export function plainCluster(nodes: readonly SnapshotNode[], guests: readonly SnapshotGuest[], more: Partial<ClusterSnapshot> = {}): ClusterSnapshot {
  return { v: 1, takenAt: '2026-12-01T22:00:00.000Z', nodes, guests, rules: [], survivesOneNode: false, ...more };
}
