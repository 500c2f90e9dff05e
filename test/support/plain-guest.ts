import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import type { SnapshotGuest } from '../../src/domain/plan/snapshot.js';

/** A guest for the planner that runs, needs 1 GiB of memory and nothing else. */
export function plainGuest(vmid: number, node: string, more: Partial<SnapshotGuest> = {}): SnapshotGuest {
  return {
    vmid: parseVmid(vmid),
    kind: 'qemu',
    node: parseNodeName(node),
    running: true,
    memoryBytes: 2 ** 30,
    cores: 1,
    cpuLoad: 0,
    disks: [],
    bridges: [],
    cpuFlags: [],
    machineType: null,
    localDevices: [],
    pinned: false,
    priority: 0,
    whenNotLive: 'skip',
    home: null,
    ...more,
  };
}
