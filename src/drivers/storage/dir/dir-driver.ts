import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { DirStorageConfig } from '../../../schema/storage-config.js';
import { syncFolder } from '../../host/durable-file.js';
import { errnoOf, storageError } from '../../host/storage-error.js';
import type { StorageDriver, VolumeInfo } from '../driver.js';
import { openGuestNotes } from '../guest-notes.js';
import { readOrMakeIdentity } from '../identity-marker.js';
import { readImageFacts } from '../image-facts.js';
import { diskName, diskNumber, parseVolumeName, printVolumeId, VOLUME_FORMATS, type VolumeFormat, type VolumeId } from '../volume-id.js';
import { createQcow2 } from './create-qcow2.js';
import { dirIncoming } from './dir-incoming.js';
import { listFolder, lookFresh, makeFolder, removeTree, tidyFolder } from './folders.js';
import { type DirLayout, dirLayout } from './layout.js';
import { treeSize } from './tree-size.js';

/** More disks than any guest can have. */
const MAX_DISKS = 100;

/** A folder with a file for each image and a folder for each file system of a container, as PVE's type `dir`. */
export function dirDriver(config: DirStorageConfig): StorageDriver {
  const layout = dirLayout(config);
  return {
    id: config.id,
    shared: config.shared,
    capabilities: { formats: VOLUME_FORMATS, thin: true, exportBy: 'file', internalSnapshots: ['qcow2'] },
    path: (volumeId) => {
      const volume = layout.parse(volumeId);
      return { path: layout.placeOf(volume), format: volume.format };
    },
    imagePath: (volumeId) => {
      const volume = layout.parse(volumeId);
      if (volume.format === 'subvol') throw new KedgeError('bad-input', `Cannot use volume ${volumeId} as a disk: it is a folder, not an image`);
      return { path: layout.placeOf(volume), format: volume.format };
    },
    size: async (volumeId) => sizeOf(layout, layout.parse(volumeId)),
    allocate: (request) => allocate(layout, request),
    remove: async (volumeId) => remove(layout.placeOf(layout.parse(volumeId))),
    list: async (vmid) => {
      const volumes = await listAll(layout, vmid);
      const found: VolumeInfo[] = [];
      for (const volume of volumes) {
        const { vmid: owner, format, kind } = volume;
        found.push({ volumeId: printVolumeId(volume), vmid: owner, format, kind, ...(await sizeOf(layout, volume)) });
      }
      return found;
    },
    names: async (vmid) => (await listAll(layout, vmid)).map(printVolumeId),
    incoming: dirIncoming(layout),
    notes: openGuestNotes(config.path),
    identity: () => readOrMakeIdentity(config.path),
    space: async () => {
      const { bsize, blocks, bavail, files, ffree } = await statfs(config.path).catch((error: unknown) => {
        throw storageError(`read the free space of ${config.path}`, error);
      });
      return { totalBytes: bsize * blocks, freeBytes: bsize * bavail, freeFiles: files === 0 ? null : ffree };
    },
  };
}

async function sizeOf(layout: DirLayout, volume: VolumeId): Promise<Pick<VolumeInfo, 'virtualBytes' | 'allocatedBytes'>> {
  const place = layout.placeOf(volume);
  const stat = await lookFresh(place);
  if (stat === null) throw new KedgeError('not-found', `Cannot find volume ${printVolumeId(volume)}: ${place} does not exist`);
  switch (volume.format) {
    case 'raw':
      return { virtualBytes: stat.size, allocatedBytes: stat.blocks * 512 };
    case 'qcow2':
      return { virtualBytes: (await readImageFacts(place, 'qcow2')).virtualBytes, allocatedBytes: stat.blocks * 512 };
    case 'subvol':
      try {
        return { virtualBytes: 0, allocatedBytes: (await treeSize(place)).allocatedBytes };
      } catch (error) {
        throw storageError(`read the size of ${place}`, error);
      }
  }
}

async function allocate(layout: DirLayout, request: Parameters<StorageDriver['allocate']>[0]): Promise<string> {
  const { vmid, format, sizeBytes, index } = request;
  if (format === 'subvol' ? sizeBytes !== 0 : !Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) {
    const wanted = format === 'subvol' ? '0, a folder has no limit' : 'a positive number of bytes';
    throw new KedgeError('bad-input', `Cannot create a volume: size is ${sizeBytes}, must be ${wanted}`);
  }
  if (index !== undefined && !(Number.isSafeInteger(index) && index >= 0)) {
    throw new KedgeError('bad-input', `Cannot create a volume: disk number is ${index}, must be 0 or more`);
  }
  const candidates = index === undefined ? Array.from({ length: MAX_DISKS }, (_, number) => number) : [index];
  for (const candidate of candidates) {
    // Checks index and vmid by the grammar before they become a path.
    const volume = layout.parse(printVolumeId({ storage: layout.id, vmid, name: diskName(vmid, { index: candidate, format }) }));
    const isTaken = (await listVolumes(layout, vmid)).some((other) => diskNumber(other.name) === candidate);
    if (!isTaken && (await create({ place: layout.placeOf(volume), format, sizeBytes }))) return printVolumeId(volume);
  }
  throw new KedgeError('already-exists', `Cannot create a volume for guest ${vmid} on storage ${layout.id}: disk ${index ?? `0 to ${MAX_DISKS - 1}`} exists`);
}

/** Returns false when it exists: O_EXCL or mkdir decides between two creators, on shared storages too. */
async function create(volume: { place: string; format: VolumeFormat; sizeBytes: number }): Promise<boolean> {
  const { place, format, sizeBytes } = volume;
  const folder = dirname(place);
  try {
    // Only two levels: a storage folder that is not there is an unmounted storage, and must not fill the disk below.
    await makeFolder(dirname(folder));
    await makeFolder(folder);
    if (format === 'subvol') await mkdir(place, { mode: 0o755 });
    else await createImage(place, { format, sizeBytes });
    await syncFolder(folder);
    await syncFolder(dirname(folder));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error instanceof KedgeError ? error : storageError(`create ${place}`, error);
  }
}

async function createImage(file: string, { format, sizeBytes }: { format: 'raw' | 'qcow2'; sizeBytes: number }): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    if (format === 'raw') await handle.truncate(sizeBytes);
    else await createQcow2(file, sizeBytes);
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function remove(place: string): Promise<void> {
  try {
    await removeTree(place);
    await tidyFolder(dirname(place));
  } catch (error) {
    throw error instanceof KedgeError ? error : storageError(`remove ${place}`, error);
  }
}

async function listAll(layout: DirLayout, vmid: number | undefined): Promise<readonly VolumeId[]> {
  const guests = vmid === undefined ? (await listFolder(layout.images)).filter((name) => /^[1-9][0-9]{2,8}$/.test(name)).map(Number) : [vmid];
  const found: VolumeId[] = [];
  for (const guest of guests) {
    for (const { name } of await listVolumes(layout, guest)) found.push(layout.parse(printVolumeId({ storage: layout.id, vmid: guest, name })));
  }
  return found;
}

/** This guest's volumes by name; other files in the folder are not ours. */
async function listVolumes(layout: DirLayout, vmid: number): Promise<readonly { readonly name: string }[]> {
  return [...(await listFolder(layout.folderOf(vmid)))]
    .sort()
    .map(parseVolumeName)
    .filter((volume) => volume?.vmid === vmid)
    .filter((volume) => volume !== null);
}
