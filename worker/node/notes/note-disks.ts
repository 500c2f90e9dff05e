import { stat } from 'node:fs/promises';
import type { GuestNote } from '../../../src/domain/guest-note.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { errnoOf } from '../../../src/drivers/host/storage-error.js';
import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import { volumesOf } from './note-home.js';

/**
 * Is any disk of a guest there that its note could be needed for: on the storage of the note, or one that its config names elsewhere? Null: nobody can
 * tell, since a storage is not shared, not there, or does not answer. What is only read by a guest, a CD-ROM, is no disk of it.
 */
export async function noteHasDisks(
  shared: readonly StorageDriver[],
  { vmid, home, note }: { readonly vmid: Vmid; readonly home: StorageDriver; readonly note: GuestNote | null },
): Promise<boolean | null> {
  try {
    if ((await home.names(vmid)).length > 0) return true;
    const answers = await Promise.all((note === null ? [] : volumesOf(note)).filter(({ role }) => role !== 'cdrom').map((volume) => isThere(shared, volume)));
    return answers.includes(true) || (answers.includes(null) ? null : false);
  } catch (error) {
    if (error instanceof KedgeError) return null;
    throw error;
  }
}

async function isThere(shared: readonly StorageDriver[], { volume, storage }: { volume: string; storage: string | null }): Promise<boolean | null> {
  const driver = shared.find(({ id }) => id === storage);
  if (driver === undefined) return null;
  return stat(driver.path(volume).path).then(
    () => true,
    (error: unknown) => (errnoOf(error) === 'ENOENT' ? false : null),
  );
}
