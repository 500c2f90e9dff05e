import { chmod, chown, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { DirStorageConfig } from '../../../schema/storage-config.js';
import { errnoOf, storageError } from '../../host/storage-error.js';
import { refuseMounts } from '../../tree/refuse-mounts.js';
import { parseTreeVolumeId, printTreeVolumeId, type TreeVolumeId } from '../tree-volume-id.js';
import type { TreeStorage } from '../tree-storage.js';

/** What a removal has renamed a folder to: it is no volume any more. */
const REMOVED = '.removed';

/** Folders of containers on a storage of type `dir`: `<path>/images/<vmid>/subvol-<vmid>-disk-N.subvol`, as PVE's with size 0. */
export function dirTrees(config: DirStorageConfig): TreeStorage {
  const { id } = config;
  const images = join(config.path, 'images');
  const pathOf = (volumeId: string): string => {
    const volume = parseTreeVolumeId(volumeId);
    if (volume.storage !== id) throw new KedgeError('bad-input', `Cannot use volume ${volumeId}: it is not of storage ${id}`);
    return join(images, String(volume.vmid), volume.name);
  };

  return {
    id,
    path: pathOf,

    create: async (volumeId, { owner }) => {
      const folder = pathOf(volumeId);
      try {
        // Only these levels: a storage folder that is not there is an unmounted storage, and must not fill the disk below.
        await makeFolder(images);
        await makeFolder(dirname(folder));
        await mkdir(folder, { mode: 0o755 });
        await chown(folder, owner, owner);
        await chmod(folder, 0o755);
        for (const path of [folder, dirname(folder), images]) await syncFolder(path);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') throw new KedgeError('already-exists', `Cannot create volume ${volumeId}: ${folder} exists`);
        throw storageError(`create ${folder}`, error);
      }
    },

    remove: async (volumeId) => {
      const folder = pathOf(volumeId);
      await refuseMounts(folder);
      const removed = `${folder}${REMOVED}`;
      try {
        // What an earlier removal has left would be in the way.
        await rm(removed, { recursive: true, force: true });
        // At once, then at leisure: half a tree must never stand under a volume's name.
        await tolerating(['ENOENT'], rename(folder, removed));
        await rm(removed, { recursive: true, force: true });
        // The guest's folder goes with its last volume.
        await tolerating(['ENOTEMPTY', 'ENOENT'], rmdir(dirname(folder)));
      } catch (error) {
        throw storageError(`remove ${folder}`, error);
      }
    },

    list: async (vmid) => {
      const guests = vmid === undefined ? (await listFolder(images)).filter((name) => /^[1-9][0-9]{2,8}$/.test(name)).map(Number) : [vmid];
      const found: TreeVolumeId[] = [];
      for (const guest of guests) {
        const pattern = new RegExp(`^subvol-${guest}-disk-\\d{1,3}\\.subvol$`);
        const names = (await listFolder(join(images, String(guest)))).filter((name) => pattern.test(name)).sort();
        found.push(...names.map((name) => ({ storage: id, vmid: guest, name })));
      }
      return found.map(printTreeVolumeId);
    },
  };
}

async function makeFolder(folder: string): Promise<void> {
  await tolerating(['EEXIST'], mkdir(folder, { mode: 0o755 }));
}

async function tolerating(errnos: readonly string[], work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!errnos.includes(errnoOf(error) ?? '')) throw error;
  });
}

/** A new name survives a power cut only once its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storageError(`list ${folder}`, error);
  }
}
