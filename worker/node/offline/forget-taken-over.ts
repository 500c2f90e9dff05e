import { parseMigrationId, type Vmid } from '../../../src/domain/ids.js';
import { hasTakenOver } from '../../../src/domain/ownership.js';
import type { NodeContext } from '../node-context.js';

/**
 * Removes the journal of a copy that this node has taken over: its volumes are the guest's own disks since, here or, on a shared storage,
 * wherever it went. A worker that died between `owned` and the end of the journal has left it.
 */
export async function forgetTakenOver(node: NodeContext, vmid: Vmid): Promise<void> {
  await node.locks.withLock(vmid, async () => {
    const [view, entry] = [await node.records.read(vmid), await node.volumes.read(vmid)];
    if (view.kind !== 'record' || entry === null) return;
    if (hasTakenOver(view.record, parseMigrationId(entry.migrationId).generation)) await node.volumes.remove(vmid);
  });
}
