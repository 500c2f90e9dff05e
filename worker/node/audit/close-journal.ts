import { parseMigrationId, type Vmid } from '../../../src/domain/ids.js';
import { hasTakenOver, type RecordView } from '../../../src/domain/ownership.js';
import type { NodeRepair, RepairResult } from '../../../src/domain/repair.js';
import { rsyncGrantFolder } from '../../../src/config/paths.js';
import { listGrants } from '../../../src/drivers/rsync/grant-store.js';
import type { NodeContext } from '../node-context.js';
import { endGrant } from '../offline/end-grant.js';
import { endCopy } from '../offline/end-copy.js';
import { gone, refuse, repaired } from './repair-result.js';

type CloseJournal = NodeRepair & { readonly do: 'close-journal' };

/**
 * Closes what a migration that has ended has left noted as open. An entry is needed for as long as the record names its migration: recovery and the
 * settlement of that record read it. So a record that names any is settled first; under the lock no other can begin.
 */
export async function closeJournal(node: NodeContext, vmid: Vmid, { journal, key }: CloseJournal): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const view = await node.records.read(vmid);
    if (view.kind === 'unreadable') return refuse(`the record of guest ${vmid} can't be read: it may speak of this entry`);
    if (isInFlight(view) || node.copies.has(vmid)) return gone('the record speaks of a migration: the entry goes with its settlement');
    switch (journal) {
      case 'stream':
        await node.streams.remove(vmid);
        return repaired;
      case 'volumes':
        return closeVolumes(node, vmid, view);
      case 'claim':
        return forgetClaim(node, vmid, { view, key });
      case 'grant':
        return takeBackGrants(node, key);
    }
  });
}

/** A tombstone names its migration, and waits for nothing. */
function isInFlight(view: RecordView): boolean {
  if (view.kind !== 'record') return false;
  const { state, migrationId } = view.record;
  return state === 'incoming' || state === 'armed' || state === 'releasing' || (state === 'owned' && migrationId !== undefined);
}

/** Of a copy that was taken over the volumes are the guest's own disks: only the note goes. Of any other the copies go too, see `endCopy`. */
async function closeVolumes(node: NodeContext, vmid: Vmid, view: RecordView): Promise<RepairResult> {
  const entry = await node.volumes.read(vmid);
  if (entry === null) return gone('the entry is gone');
  const isTakenOver = view.kind === 'record' && hasTakenOver(view.record, parseMigrationId(entry.migrationId).generation);
  if (isTakenOver) await node.volumes.remove(vmid);
  else await endCopy(node, vmid);
  return repaired;
}

/**
 * A claim fences late attempts by its order. Without a record of the guest there is nothing that they could do: a preparation writes its
 * record first, and the claim of a migration that begins meanwhile is another one than was found.
 */
async function forgetClaim(node: NodeContext, vmid: Vmid, { view, key }: { view: RecordView; key: string }): Promise<RepairResult> {
  if (view.kind !== 'missing') return gone('the node has a record of the guest by now');
  if (((await node.steps.seen(vmid))?.text ?? '') !== key) return gone('the claim is of a later step by now');
  await node.steps.forget(vmid);
  return repaired;
}

/** A permission belongs to a copy under way, which the record would name. */
async function takeBackGrants(node: NodeContext, path: string): Promise<RepairResult> {
  const found = (await listGrants(rsyncGrantFolder(node.paths))).grants.filter((grant) => grant.path === path);
  if (found.length === 0) return gone('the permission is gone');
  for (const { token } of found) await endGrant(node, token);
  return repaired;
}
