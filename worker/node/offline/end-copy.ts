import type { Vmid } from '../../../src/domain/ids.js';
import type { RecordView } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import { endGrant } from './end-grant.js';
import { storageOf } from './storage-of.js';
import type { VolumeEntry } from './volume-journal.js';

/**
 * Removes the copies that a migration brought here, finished or not, and ends whoever writes to them. The caller holds the guest's lock;
 * the present record forbids this copy to run: then nothing here is the guest's only data, since the source gives its volumes up only to a
 * target that owns the guest.
 *
 * A copy that was published bears the name of a disk, and may be one: the journal of a copy that was taken over may have been left behind.
 * So such a name is only taken back if the record says of this very migration that it never was.
 *
 * The order matters: the writers first, else they would make the file anew; the journal last, else a crash would leave what it names.
 */
export async function endCopy(node: NodeContext, vmid: Vmid): Promise<void> {
  const entry = await node.volumes.read(vmid);
  if (entry === null) return;
  await crashPoint('target.discard-volumes', async () => {
    for (const { token } of entry.volumes) {
      node.readings.end(token);
      await endGrant(node, token);
    }
    if (wasNeverTakenOver(await node.records.read(vmid), entry)) await withdraw(node, vmid, entry);
    for (const { to } of entry.volumes) await (await storageOf(node, to)).incoming.discard({ volumeId: to, migrationId: entry.migrationId });
  });
  await node.volumes.remove(vmid);
}

function wasNeverTakenOver(view: RecordView, { migrationId }: VolumeEntry): boolean {
  if (view.kind !== 'record' || view.record.migrationId !== migrationId) return false;
  return view.record.state === 'incoming' || view.record.state === 'armed' || view.record.state === 'revoked';
}

/**
 * From here on the journal says that no final name is ours. Without that a crash in the midst of the removal would have the next attempt
 * remove what somebody else has made under that name meanwhile: on a shared storage another node may.
 */
async function withdraw(node: NodeContext, vmid: Vmid, entry: VolumeEntry): Promise<void> {
  // In `publishing` a copy has its temporary name, its final one, or both: that one was free when the copy was journaled, so it is ours.
  const named = entry.volumes.filter(({ state }) => state !== 'incoming');
  if (named.length === 0) return;
  await crashPoint('target.withdraw-volumes', async () => {
    for (const { to } of named) await (await storageOf(node, to)).incoming.withdraw({ volumeId: to, migrationId: entry.migrationId });
  });
  const withdrawn = { ...entry, volumes: entry.volumes.map((copy) => ({ ...copy, state: 'incoming' as const })) };
  await crashPoint('target.volumes-withdrawn', () => node.volumes.write(vmid, withdrawn));
}
