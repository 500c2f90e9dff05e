import type { Vmid } from '../../../src/domain/ids.js';
import type { NodeContext } from '../node-context.js';
import { isGuestOn } from './guest-power.js';
import { lookAtGuest } from './look-at-guest.js';
import { startGuestFromDisk } from './start-guest.js';

/**
 * Starts again what a migration had told to shut down and what obeys after the migration was rolled back. Whoever heard it obey waits for
 * the end of its process only so long, and holds its lock meanwhile; a process that flushes much to a slow disk ends later. So the mark
 * is looked at for as long as it holds, and ends with the start; that of a guest that runs on is removed when it is old.
 */
export async function startMarkedGuests(node: NodeContext): Promise<void> {
  for (const vmid of await node.shutdowns.list()) {
    try {
      if (await node.shutdowns.isAsked(vmid)) await node.locks.withLock(vmid, () => startIfEnded(node, vmid));
      else await node.shutdowns.endIfOld(vmid);
    } catch (error) {
      // The next look tries again; the other guests don't wait for it.
      node.log.error({ vmid, error }, 'a guest that shut down after its migration was rolled back could not be started again');
    }
  }
}

/**
 * Starts a guest with a mark that has ended. The caller holds its lock: until then an operator may have ended the mark, a migration claimed
 * the guest, or somebody started it. `atMs`: when it was seen to obey, Unix milliseconds.
 */
export async function startIfEnded(node: NodeContext, vmid: Vmid, atMs = Date.now()): Promise<void> {
  const view = await node.records.read(vmid);
  if (!(await node.shutdowns.isAsked(vmid, atMs)) || view.kind !== 'record') return;
  const { record } = view;
  if (record.state !== 'owned' || record.migrationId !== undefined || record.bootId !== node.bootId || record.wanted === 'stopped') return;
  // A container without processes may still be on its way down.
  if (isGuestOn(node, record) || (await lookAtGuest(node, vmid)).view.qemu !== 'gone') return;
  await startGuestFromDisk(node, vmid);
  await node.shutdowns.end(vmid);
  node.log.info({ vmid }, 'the guest shut down after its migration was rolled back, and was started again');
}
