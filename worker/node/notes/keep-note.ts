import { isDeepStrictEqual } from 'node:util';
import type { GuestMarker, GuestNote } from '../../../src/domain/guest-note.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import type { NodeContext } from '../node-context.js';
import { noteHome, notesOf, sharedStorages } from './note-home.js';

type Owned = OwnershipRecord & { readonly state: 'owned' };

/**
 * Makes the shared storage say what this node's record says of a guest that it owns: config and marker. Repeatable, does nothing when it does.
 * The caller holds the guest's lock and has just read the record.
 *
 * The order, and what a crash between two lines leaves:
 * 1. Notes on other storages go (the first disk has moved). After a crash there is none: the guest is not started elsewhere until this is repeated.
 *    A storage that can't be read may hold one, of an older generation, under which nobody may take the guest. So it stands in the way, unless it was
 *    seen to hold none under this very record (`FreeStorages` has the argument).
 * 2. The marker of this generation is made. Before the config: a storage on which the marker is newer names the right owner, with a config that is
 *    at most one move old; the other way round it would name the owner before, whose recovery this node would refuse.
 * 3. The config is replaced. 4. Older markers go, the newest one never.
 * @throws KedgeError `not-owner` when the storage knows a later owner: this node must not act as one; those of the storage
 */
export async function keepNote(node: NodeContext, record: Owned): Promise<void> {
  const { vmid, kind, generation, wanted } = record;
  const config = await node.guestConfigs.read(vmid, kind);
  const shared = await sharedStorages(node);
  const place = noteHome(shared, { kind, config });
  await removeNotes(node, { shared: shared.filter(({ id }) => id !== place.home?.id), record });
  if (place.home === null) return;
  node.freeStorages.leave(vmid, place.home.notes.folder);
  const { id, notes } = place.home;
  const marker: GuestMarker = { generation, owner: node.node };
  const newest = await notes.newest(vmid);
  if (newest !== null && newest.generation > generation) throw takenFrom(vmid, { id, newest });
  if (!isDeepStrictEqual(newest, marker)) {
    const inForce = await crashPoint('node.note-marker', () => notes.mark(vmid, marker));
    if (inForce.owner !== node.node) throw takenFrom(vmid, { id, newest: inForce });
  }
  const note: GuestNote = { vmid, kind, owner: node.node, generation, wanted, config };
  if (!isDeepStrictEqual(await notes.read(vmid).catch(() => null), note)) await crashPoint('node.note-config', () => notes.write(note));
  await crashPoint('node.note-older', () => notes.dropOlder(vmid, marker));
}

/**
 * Like `keepNote`, for a moment from which on the note may not lie: what can't be brought up to date is removed instead, so that a full storage
 * keeps no guest from moving away. @throws KedgeError `not-owner`; `storage-failed` when not even that can be done
 */
export async function keepOrRemoveNote(node: NodeContext, record: Owned): Promise<void> {
  try {
    await keepNote(node, record);
  } catch (error) {
    if (!(error instanceof KedgeError) || error.code === 'not-owner') throw error;
    node.log.warn({ vmid: record.vmid, error }, 'what lies beside the disks of a guest could not be brought up to date and is removed');
    await removeNotes(node, { shared: await sharedStorages(node), record });
  }
}

/** Removes what lies beside the disks of a guest, on every shared storage of this node. @throws KedgeError `storage-failed` */
export async function forgetNote(node: NodeContext, record: Owned): Promise<void> {
  await removeNotes(node, { shared: await sharedStorages(node), record });
  node.freeStorages.forget(record.vmid);
}

/** The same where this node has no record that it could go by: each storage must answer. @throws KedgeError `storage-failed` */
export async function forgetStrayNote(node: NodeContext, vmid: Vmid): Promise<void> {
  for (const { notes } of await notesOf(await sharedStorages(node), vmid)) await crashPoint('node.note-removal', () => notes.remove(vmid));
}

/**
 * Makes this node the newest owner on each storage that has anything of an earlier guest of the number, before its record of a new guest is written.
 *
 * 1. The note of an earlier guest names this very node, under 5. 2. The new guest has 9, and the node loses power before its keeper has written that.
 * 3. A taker goes by the 5: it takes the guest under 9, and makes void what is below 9. 4. The record of this node is 9: it is back, and starts the guest too.
 *
 * A crash before the record leaves a marker without one: nothing runs by it, and the next attempt outbids it in turn.
 * @throws KedgeError `not-owner` when somebody has taken the earlier guest over meanwhile; `storage-failed`
 */
export async function markNewGuest(node: NodeContext, { vmid, generation }: Pick<Owned, 'vmid' | 'generation'>): Promise<void> {
  for (const { id, notes } of await sharedStorages(node)) {
    if (!(await notes.guests()).includes(vmid)) continue;
    const inForce = await crashPoint('node.note-marker', () => notes.mark(vmid, { generation, owner: node.node }));
    const newest = (await notes.newest(vmid)) ?? inForce;
    if (inForce.owner !== node.node || newest.generation !== generation) throw takenFrom(vmid, { id, newest });
  }
}

async function removeNotes(node: NodeContext, { shared, record }: { shared: readonly StorageDriver[]; record: Owned }): Promise<void> {
  const { vmid } = record;
  const free = node.freeStorages;
  await Promise.all(
    shared.map(async ({ id, notes }) => {
      try {
        if ((await notes.guests()).includes(vmid)) await crashPoint('node.note-removal', () => notes.remove(vmid));
        free.saw(record, notes.folder);
      } catch (error) {
        if (!(error instanceof KedgeError) || !free.has(record, notes.folder)) throw error;
        node.log.debug({ vmid, storage: id, error }, 'a storage that is known to hold no note of a guest could not be read');
      }
    }),
  );
}

/** The newest marker that any shared storage of this node has of a guest. @throws KedgeError `storage-failed` */
export async function newestMarker(node: NodeContext, vmid: Vmid): Promise<GuestMarker | null> {
  return newestOf(await Promise.all((await sharedStorages(node)).map(({ notes }) => notes.newest(vmid))));
}

/** The one of the greatest generation. */
export function newestOf(markers: readonly (GuestMarker | null)[]): GuestMarker | null {
  return markers.reduce<GuestMarker | null>((newest, marker) => (marker !== null && marker.generation > (newest?.generation ?? 0) ? marker : newest), null);
}

function takenFrom(vmid: Vmid, { id, newest }: { id: string; newest: GuestMarker }): KedgeError {
  return new KedgeError(
    'not-owner',
    `Cannot act as the owner of guest ${vmid}: storage ${id} says that ${newest.owner} has taken it over under generation ${newest.generation}`,
    { details: { ...newest, storage: id } },
  );
}
