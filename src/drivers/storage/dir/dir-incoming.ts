import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseMigrationId } from '../../../domain/ids.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import { syncFolder } from '../../host/durable-file.js';
import { errnoOf, storageError } from '../../host/storage-error.js';
import type { IncomingVolume, IncomingVolumeInfo, IncomingVolumes } from '../incoming-volumes.js';
import { syncVolume } from '../sync-volume.js';
import { parseVolumeName, printVolumeId, type VolumeId } from '../volume-id.js';
import { listFolder, lookFresh, makeFolder, removeTree, tidyFolder } from './folders.js';
import type { DirLayout } from './layout.js';
import { treeSize } from './tree-size.js';

/** The two names of a copy: the one it is written under and the one that it gets. */
interface Places {
  readonly volume: VolumeId;
  readonly temporary: string;
  readonly final: string;
}

/** Copies coming in to a folder storage: `images/<vmid>/.incoming-<migration>-<name>`, on the same file system as the final name. */
export function dirIncoming(layout: DirLayout): IncomingVolumes {
  const placesOf = ({ volumeId, migrationId }: IncomingVolume): Places => {
    const volume = layout.parse(volumeId);
    const { id } = parseMigrationId(migrationId);
    return { volume, temporary: join(layout.folderOf(volume.vmid), `.incoming-${id}-${volume.name}`), final: layout.placeOf(volume) };
  };
  return {
    path: (incoming) => {
      const { volume, temporary } = placesOf(incoming);
      return { path: temporary, kind: volume.format === 'subvol' ? 'tree' : 'file' };
    },
    prepare: (incoming) => inStorage('prepare', placesOf(incoming), prepare),
    publish: (incoming) => inStorage('publish', placesOf(incoming), publish),
    withdraw: (incoming) => inStorage('withdraw', placesOf(incoming), withdraw),
    discard: (incoming) => inStorage('discard', placesOf(incoming), discard),
    list: async (vmid) => {
      const guests = vmid === undefined ? (await listFolder(layout.images)).filter((name) => /^[1-9][0-9]{2,8}$/.test(name)).map(Number) : [vmid];
      return (await Promise.all(guests.map((guest) => listIncoming(layout, guest)))).flat();
    },
  };
}

async function prepare({ volume, temporary, final }: Places): Promise<void> {
  const folder = dirname(final);
  await makeFolder(dirname(folder));
  await makeFolder(folder);
  if ((await lookFresh(final)) !== null) throw taken(volume, final);
  try {
    if (volume.format === 'subvol') await mkdir(temporary, { mode: 0o755 });
    else await (await open(temporary, 'wx', 0o600)).close();
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  await syncFolder(folder);
  await syncFolder(dirname(folder));
}

async function publish(places: Places): Promise<void> {
  const { volume, temporary, final } = places;
  const [copy, existing] = [await lookFresh(temporary), await lookFresh(final)];
  if (copy === null) {
    if (existing === null) throw new KedgeError('not-found', `Cannot publish volume ${printVolumeId(volume)}: there is no copy of it`);
    // Published before; the crash may have come between the rename and its sync.
  } else if (volume.format === 'subvol') {
    if (existing !== null) throw taken(volume, final);
    await syncVolume({ path: temporary, kind: 'tree' });
    await rename(temporary, final);
  } else {
    // Both names on one file: an earlier attempt died between the two steps.
    if (existing !== null && (existing.ino !== copy.ino || existing.dev !== copy.dev)) throw taken(volume, final);
    await syncVolume({ path: temporary, kind: 'file' });
    // Unlike a rename, a link never replaces anything.
    if (existing === null) await linkNew(places);
    await unlink(temporary);
  }
  await syncFolder(dirname(final));
}

async function withdraw({ temporary, final }: Places): Promise<void> {
  if ((await lookFresh(temporary)) === null) {
    if ((await lookFresh(final)) === null) return;
    await rename(final, temporary);
  }
  await syncFolder(dirname(final));
}

async function discard({ temporary, final }: Places): Promise<void> {
  const [copy, existing] = [await lookFresh(temporary), await lookFresh(final)];
  // Half published: nobody was told of it yet.
  if (copy?.isFile() === true && existing?.ino === copy.ino && existing.dev === copy.dev) await unlink(final);
  if (copy !== null) await removeTree(temporary);
  await tidyFolder(dirname(final));
}

async function linkNew({ volume, temporary, final }: Places): Promise<void> {
  try {
    await link(temporary, final);
  } catch (error) {
    throw errnoOf(error) === 'EEXIST' ? taken(volume, final) : error;
  }
}

async function listIncoming(layout: DirLayout, vmid: number): Promise<readonly IncomingVolumeInfo[]> {
  const found: IncomingVolumeInfo[] = [];
  for (const entry of await listFolder(layout.folderOf(vmid))) {
    const [, migrationId, rest = ''] = /^\.incoming-([1-9][0-9]{2,8}-[1-9][0-9]*)-(.+)$/.exec(entry) ?? [];
    const volume = parseVolumeName(rest);
    if (migrationId === undefined || volume?.vmid !== vmid) continue;
    const path = join(layout.folderOf(vmid), entry);
    const stat = await lookFresh(path);
    if (stat === null) continue;
    const allocatedBytes = stat.isDirectory() ? (await treeSize(path)).allocatedBytes : stat.blocks * 512;
    found.push({ volumeId: printVolumeId({ storage: layout.id, ...volume }), migrationId, path, allocatedBytes });
  }
  return found;
}

async function inStorage(verb: string, places: Places, act: (places: Places) => Promise<void>): Promise<void> {
  try {
    await act(places);
  } catch (error) {
    throw error instanceof KedgeError ? error : storageError(`${verb} the copy ${places.temporary}`, error);
  }
}

function taken(volume: VolumeId, final: string): KedgeError {
  return new KedgeError('already-exists', `Cannot make volume ${printVolumeId(volume)}: ${final} exists already`, { details: { path: final } });
}
