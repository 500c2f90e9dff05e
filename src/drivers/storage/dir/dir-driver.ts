import { mkdir, open, readdir, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { DirStorageConfig } from '../../../schema/storage-config.js';
import { errnoOf, storageError } from '../../host/storage-error.js';
import type { StorageDriver, VolumeInfo } from '../driver.js';
import { readOrMakeIdentity } from '../identity-marker.js';
import { diskName, parseVolumeId, printVolumeId, VOLUME_FORMATS, type VolumeFormat, type VolumeId } from '../volume-id.js';
import { createQcow2, readVirtualSize } from './qemu-img.js';

/** More disks than any guest can have. */
const MAX_DISKS = 100;

/** A folder with one file an image: `<path>/images/<vmid>/vm-<vmid>-disk-N.raw|qcow2`, as PVE's type `dir`. */
export function dirDriver(config: DirStorageConfig): StorageDriver {
  const { id, shared } = config;
  const images = join(config.path, 'images');
  const fileOf = (volume: Pick<VolumeId, 'vmid' | 'name'>): string => join(images, String(volume.vmid), volume.name);
  const parse = (volumeId: string): VolumeId => {
    const volume = parseVolumeId(volumeId);
    if (volume.storage !== id) throw new KedgeError('bad-input', `Cannot use volume ${volumeId}: it is not of storage ${id}`);
    return volume;
  };
  const size = async (volume: VolumeId): Promise<{ virtualBytes: number; allocatedBytes: number }> => {
    const file = fileOf(volume);
    try {
      const { size: bytes, blocks } = await stat(file);
      return { virtualBytes: volume.format === 'raw' ? bytes : await readVirtualSize(file), allocatedBytes: blocks * 512 };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT')
        throw new KedgeError('not-found', `Cannot find volume ${printVolumeId(volume)}: ${file} does not exist`, { cause: error });
      throw error instanceof KedgeError ? error : storageError(`read the size of ${file}`, error);
    }
  };

  return {
    id,
    shared,
    capabilities: { formats: VOLUME_FORMATS, thin: true },
    path: (volumeId) => {
      const volume = parse(volumeId);
      return { path: fileOf(volume), format: volume.format };
    },
    size: async (volumeId) => size(parse(volumeId)),
    identity: () => readOrMakeIdentity(config.path),
    space: async () => {
      const { bsize, blocks, bavail } = await statfs(config.path).catch((error: unknown) => {
        throw storageError(`read the free space of ${config.path}`, error);
      });
      return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
    },

    allocate: async ({ vmid, format, sizeBytes, index }) => {
      if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) {
        throw new KedgeError('bad-input', `Cannot create a volume: size is ${sizeBytes}, must be a positive number of bytes`);
      }
      if (index !== undefined && !(Number.isSafeInteger(index) && index >= 0)) {
        throw new KedgeError('bad-input', `Cannot create a volume: disk number is ${index}, must be 0 or more`);
      }
      const candidates = index === undefined ? Array.from({ length: MAX_DISKS }, (_, number) => number) : [index];
      for (const candidate of candidates) {
        // Checks index and vmid by the grammar before they become a path.
        const volume = parse(printVolumeId({ storage: id, vmid, name: diskName(vmid, { index: candidate, format }) }));
        const taken = (await listImages(images, vmid)).some((other) => numberOf(other) === candidate);
        if (!taken && (await createImage({ file: fileOf(volume), format, sizeBytes }))) return printVolumeId(volume);
      }
      throw new KedgeError('already-exists', `Cannot create a volume for guest ${vmid} on storage ${id}: disk ${index ?? `0 to ${MAX_DISKS - 1}`} exists`);
    },

    remove: async (volumeId) => {
      const file = fileOf(parse(volumeId));
      try {
        await rm(file, { force: true });
        // The guest's folder goes with its last image.
        await rmdir(join(file, '..'));
      } catch (error) {
        const errno = errnoOf(error);
        if (errno !== 'ENOTEMPTY' && errno !== 'ENOENT') throw storageError(`remove ${file}`, error);
      }
    },

    list: async (vmid) => {
      const guests = vmid === undefined ? (await listFolder(images)).filter((name) => /^[1-9][0-9]{2,8}$/.test(name)).map(Number) : [vmid];
      const found: VolumeInfo[] = [];
      for (const guest of guests) {
        for (const name of await listImages(images, guest)) {
          const volume = parse(printVolumeId({ storage: id, vmid: guest, name }));
          found.push({ volumeId: printVolumeId(volume), vmid: guest, format: volume.format, ...(await size(volume)) });
        }
      }
      return found;
    },
  };
}

/** Returns false when the file exists: O_EXCL decides between two creators, on shared storages too. */
async function createImage(image: { file: string; format: VolumeFormat; sizeBytes: number }): Promise<boolean> {
  const { file, format, sizeBytes } = image;
  try {
    // Only two levels: a storage folder that is not there is an unmounted storage, and must not fill the disk below.
    await makeFolder(join(file, '../..'));
    await makeFolder(join(file, '..'));
    const handle = await open(file, 'wx', 0o600);
    try {
      if (format === 'raw') await handle.truncate(sizeBytes);
      else await createQcow2(file, sizeBytes);
      await handle.sync();
      await syncFolder(join(file, '..'));
      await syncFolder(join(file, '../..'));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error instanceof KedgeError ? error : storageError(`create ${file}`, error);
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o755 }).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
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

/** Names of this guest's images; other files in the folder are not ours. */
async function listImages(images: string, vmid: number): Promise<readonly string[]> {
  const pattern = new RegExp(`^vm-${vmid}-[A-Za-z0-9][A-Za-z0-9_-]*\\.(?:raw|qcow2)$`);
  return (await listFolder(join(images, String(vmid)))).filter((name) => pattern.test(name)).sort();
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storageError(`list ${folder}`, error);
  }
}

function numberOf(name: string): number | null {
  const number = /-disk-(\d+)\./.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}
