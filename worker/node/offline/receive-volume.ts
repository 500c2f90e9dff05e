import { stat } from 'node:fs/promises';
import { rsyncGrantFolder } from '../../../src/config/paths.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { writeGrant } from '../../../src/drivers/rsync/grant-store.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { syncVolume } from '../../../src/drivers/storage/sync-volume.js';
import type { HandOverRef } from '../handover/target-session.js';
import type { NodeContext } from '../node-context.js';
import { digestVolume } from './digest-volume.js';
import { endGrant } from './end-grant.js';
import { storageOf } from './storage-of.js';
import type { IncomingCopy } from './volume-journal.js';

/** One volume of one migration to this node. */
export interface CopyRef extends HandOverRef {
  /** Its id on this node. */
  readonly volume: string;
}

/**
 * Lets the source write to the copy of a volume; answers the token. Repeatable: grants end with the node's boot, the journal stays. A copy
 * that was found equal is the guest's disk from then on, also when another one was not: no token leads to it any more.
 */
export async function grantCopy(node: NodeContext, ref: CopyRef): Promise<{ token: string | null; isEmpty: boolean }> {
  return node.locks.withLock(ref.vmid, async () => {
    const copy = await incomingCopy(node, ref);
    if (copy.state !== 'incoming') {
      await publish(node, ref, copy);
      return { token: null, isEmpty: false };
    }
    const { incoming } = await storageOf(node, copy.to);
    const where = { volumeId: copy.to, migrationId: ref.migrationId };
    await crashPoint('target.prepare-volume', () => incoming.prepare(where));
    const { path, kind } = incoming.path(where);
    await crashPoint('target.grant', () => writeGrant(rsyncGrantFolder(node.paths), { token: copy.token, peer: ref.from, path, kind }));
    return { token: copy.token, isEmpty: kind === 'file' && (await stat(path)).size === 0 };
  });
}

/**
 * Ends the writing to the copy of a volume, makes it durable, and reads it: answers the digest of all that it holds. Not under the guest's lock, since it may
 * take minutes; it ends with `signal`, with a newer reading of the same copy, and with the copy.
 */
export async function digestCopy(node: NodeContext, ref: CopyRef, signal: AbortSignal): Promise<{ digest: string }> {
  const copy = await node.locks.withLock(ref.vmid, () => incomingCopy(node, ref));
  await endGrant(node, copy.token);
  const storage = await storageOf(node, copy.to);
  const where = { volumeId: copy.to, migrationId: ref.migrationId };
  const isUnderTemporaryName = (await storage.incoming.list(ref.vmid)).some(
    ({ volumeId, migrationId }) => volumeId === copy.to && migrationId === ref.migrationId,
  );
  const volume = { path: isUnderTemporaryName ? storage.incoming.path(where).path : storage.path(copy.to).path, kind: copy.kind };
  return node.readings.during(copy.token, async (ended) => {
    // What the source is told of stays: it may publish the copy after a power cut of this node, which knows no more who has read what.
    await crashPoint('target.sync-volume', () => syncVolume(volume));
    return { digest: await digestVolume(volume, { signal: AbortSignal.any([signal, ended]) }) };
  });
}

/** Gives a copy that was found equal its final name. On return it is durable, and no process can write to it on the source's behalf. */
export async function publishCopy(node: NodeContext, ref: CopyRef): Promise<{ published: true }> {
  return node.locks.withLock(ref.vmid, async () => {
    await publish(node, ref, await incomingCopy(node, ref));
    return { published: true };
  });
}

/** Goes on from wherever an earlier call was cut off. The caller holds the guest's lock. */
async function publish(node: NodeContext, ref: CopyRef, copy: IncomingCopy): Promise<void> {
  if (copy.state === 'published') return;
  await endGrant(node, copy.token);
  await setState(node, ref, 'publishing');
  const { incoming } = await storageOf(node, copy.to);
  await crashPoint('target.publish-volume', () => incoming.publish({ volumeId: copy.to, migrationId: ref.migrationId }));
  await setState(node, ref, 'published');
}

async function setState(node: NodeContext, ref: CopyRef, state: 'publishing' | 'published'): Promise<void> {
  const entry = await node.volumes.of(ref.vmid, ref.migrationId);
  const next = { ...entry, volumes: entry.volumes.map((copy) => (copy.to === ref.volume ? { ...copy, state } : copy)) };
  await crashPoint(state === 'publishing' ? 'target.volume-publishing' : 'target.volume-published', () => node.volumes.write(ref.vmid, next));
}

/** @throws KedgeError `peer-refused` unless this node still receives the volume in this migration */
async function incomingCopy(node: NodeContext, ref: CopyRef): Promise<IncomingCopy> {
  const view = await node.records.read(ref.vmid);
  const record = view.kind === 'record' ? view.record : null;
  const isOurs = record?.state === 'incoming' && record.generation === ref.generation && record.migrationId === ref.migrationId && record.peer === ref.from;
  if (!isOurs)
    throw new KedgeError('peer-refused', `Cannot receive ${ref.volume}: the record of guest ${ref.vmid} is ${record === null ? view.kind : record.state}`);
  const copy = (await node.volumes.of(ref.vmid, ref.migrationId)).volumes.find(({ to }) => to === ref.volume);
  if (copy === undefined) throw new KedgeError('peer-refused', `Cannot receive ${ref.volume}: ${ref.migrationId} has not prepared it`);
  return copy;
}
