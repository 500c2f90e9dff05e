import { rm, stat } from 'node:fs/promises';
import { rsyncGrantFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import type { RepairResult } from '../../../src/domain/repair.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { listGrants } from '../../../src/drivers/rsync/grant-store.js';
import type { NodeContext } from '../node-context.js';
import { endGrant } from '../offline/end-grant.js';
import { storageOf } from '../offline/storage-of.js';
import { gone, refuse, repaired } from './repair-result.js';

/**
 * Removes an unfinished copy of a disk that no record of this node is prepared for.
 *
 * Who could still need it? Its migration only, which has `incoming` or `armed` here from before the copy was made until it is taken over, and a
 * copy that is taken over has no temporary name. So without such a record it can't become anybody's disk, and its source has the data: it
 * gives its disks up to a target that owns the guest. A migration that begins meanwhile writes its record under this lock first, and bears another id.
 *
 * Writers first: one that lives on would make the file anew. The final name is not touched: `discard` of the storage would take it for half of a
 * publication if somebody had linked the two.
 */
export async function discardCopy(node: NodeContext, vmid: Vmid, copy: { readonly volumeId: string; readonly migrationId: string }): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const view = await node.records.read(vmid);
    if (view.kind === 'unreadable') return refuse(`the record of guest ${vmid} can't be read: it may be the one that this copy is for`);
    if (view.kind === 'record' && view.record.migrationId === copy.migrationId && (view.record.state === 'incoming' || view.record.state === 'armed'))
      return gone(`the record is ${view.record.state} of ${copy.migrationId}: it is settled with that`);
    const { incoming } = await storageOf(node, copy.volumeId);
    const { path } = incoming.path(copy);
    const found = await stat(path).catch(() => null);
    if (found === null) return gone('the copy is gone');
    for (const grant of (await listGrants(rsyncGrantFolder(node.paths))).grants) if (grant.path === path) await endGrant(node, grant.token);
    await crashPoint('node.discard-copy', () => (found.isFile() && found.nlink > 1 ? rm(path, { force: true }) : incoming.discard(copy)));
    return repaired;
  });
}
