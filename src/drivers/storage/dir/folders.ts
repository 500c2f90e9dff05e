import { mkdir, open, readFile, readdir, rm, rmdir } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { KedgeError } from '../../../domain/kedge-error.js';
import { syncFolder } from '../../host/durable-file.js';
import { errnoOf, storageError } from '../../host/storage-error.js';

/** Makes a folder; one that is there is fine. Not recursive: a storage folder that is missing is not mounted, and nothing may fill the disk below. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o755 }).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
}

/** Names in a folder; none when it does not exist. @throws KedgeError `storage-failed` */
export async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storageError(`list ${folder}`, error);
  }
}

/**
 * Looks at a file or folder by opening it, which makes a network file system ask its server; null when it does not exist. A name
 * that is not there may only be remembered as such: reading its folder drops that memory, and a second look counts.
 */
export async function lookFresh(path: string): Promise<Stats | null> {
  const first = await openAndLook(path);
  if (first !== null) return first;
  await listFolder(dirname(path));
  return openAndLook(path);
}

/** Removes a file, or a folder with all that is below; one that is gone is fine. @throws KedgeError `guest-state` something is mounted there */
export async function removeTree(path: string): Promise<void> {
  const mounted = await mountBelow(path);
  if (mounted !== null) throw new KedgeError('guest-state', `Cannot remove ${path}: something is mounted at ${mounted}`, { details: { path, mounted } });
  await rm(path, { recursive: true, force: true });
}

/** Makes removals from a guest's folder durable; the folder itself goes with the last thing in it. */
export async function tidyFolder(folder: string): Promise<void> {
  if ((await lookFresh(folder)) === null) return;
  await syncFolder(folder);
  try {
    await rmdir(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOTEMPTY' && errno !== 'ENOENT') throw error;
  }
}

async function openAndLook(path: string): Promise<Stats | null> {
  try {
    const handle = await open(path, 'r');
    try {
      return await handle.stat();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw storageError(`look at ${path}`, error);
  }
}

/** The first mount at or below `path`; proc(5), mountinfo: field 5, with blanks as octal numbers. */
async function mountBelow(path: string): Promise<string | null> {
  const points = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  return points.find((point) => point === path || point.startsWith(`${path}/`)) ?? null;
}
