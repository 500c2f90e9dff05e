import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, storageError } from '../host/storage-error.js';

/**
 * Reads the identity of the storage under `folder`, and makes it first if there is none yet. Two nodes that do so at
 * once agree: the file appears whole (link of a synced file), and only one link can win.
 * @throws KedgeError `storage-failed`, `no-space`
 */
export async function readOrMakeIdentity(folder: string): Promise<string> {
  const marker = join(folder, '.kedge', 'identity');
  try {
    return (await readIdentity(marker)) ?? (await makeIdentity(marker));
  } catch (error) {
    throw storageError(`read the identity of storage folder ${folder}`, error);
  }
}

async function readIdentity(marker: string): Promise<string | null> {
  try {
    const text = (await readFile(marker, 'utf8')).trim();
    if (!/^[0-9a-f-]{36}$/.test(text)) throw new Error(`${marker} holds "${text.slice(0, 40)}", which is no identity`);
    return text;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function makeIdentity(marker: string): Promise<string> {
  // Not recursive: a folder that is not there is an unmounted storage, not an empty one.
  await mkdir(join(marker, '..'), { mode: 0o755 }).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
  const mine = `${marker}.${randomUUID()}`;
  const file = await open(mine, 'wx', 0o644);
  try {
    await file.writeFile(`${randomUUID()}\n`);
    await file.sync();
    await link(mine, marker).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await file.close();
    await unlink(mine);
  }
  const identity = await readIdentity(marker);
  if (identity === null) throw new Error(`${marker} vanished`);
  return identity;
}
