import { rsyncGrantFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { revokeGrant } from '../../../src/drivers/rsync/grant-store.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import type { NodeContext } from '../node-context.js';
import { storageOf } from './storage-of.js';
import type { IncomingCopy, VolumeEntry } from './volume-journal.js';

/**
 * Removes the volumes that a migration brought here, finished or not, and ends whoever writes to them. The caller holds the guest's lock
 * and has written a record that forbids this copy to run: then nothing here is the guest's only data, since the source gives its volumes
 * up only to a target that owns the guest.
 *
 * The order matters: the writers first, else they would make the file anew; the journal last, else a crash would leave what it names.
 */
export async function endCopy(node: NodeContext, vmid: Vmid): Promise<void> {
  const entry = await node.volumes.read(vmid);
  if (entry === null) return;
  await crashPoint('target.discard-volumes', async () => {
    for (const { token } of entry.volumes) {
      node.readings.end(token);
      await revokeGrant(rsyncGrantFolder(node.paths), token);
    }
    for (const copy of entry.volumes) await discard(node, entry, copy);
  });
  await node.volumes.remove(vmid);
}

/** A copy in `publishing` without its temporary name has its final one: that name was free when the copy was journaled, so it is ours. */
async function discard(node: NodeContext, { migrationId }: VolumeEntry, { to, state }: IncomingCopy): Promise<void> {
  const storage = await storageOf(node, to);
  const isUnderTemporaryName = (await storage.incoming.list(parseVolumeId(to).vmid)).some((copy) => copy.migrationId === migrationId && copy.volumeId === to);
  await storage.incoming.discard({ volumeId: to, migrationId });
  if (state === 'published' || (state === 'publishing' && !isUnderTemporaryName)) await storage.remove(to);
}
