/**
 * Files that survive a power cut, written in stages that a caller may spread over time:
 *
 *   stageFile()   write temp → fsync(temp)   slow, may fail: done before the blackout
 *   commit()      rename(temp, path)         microseconds: from here every reader sees the new content
 *   syncFolder()  fsync(folder)              from here a power cut does not bring the old content back
 *
 * After `commit` the page cache carries the new content past the death of the process; only a power cut needs `syncFolder`.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, storageError } from './storage-error.js';

/** Content that is durable under a temporary name and waits for its rename. */
export interface StagedFile {
  readonly path: string;
  /**
   * Renames the content in. Not durable against a power cut before `syncFolder`. A second call is fine for as long as the content is in force.
   * @throws KedgeError `storage-failed`
   */
  commit(): Promise<void>;
  /** Makes the rename durable. @throws KedgeError `storage-failed` */
  syncFolder(): Promise<void>;
  /** Removes the temporary file; does nothing after `commit`. */
  discard(): Promise<void>;
}

const STAGE_NAME = /^\..+\.[0-9a-f]{12}\.stage$/;

/** Temporary files of this process that still wait for their commit: never stale. */
const waiting = new Set<string>();

/**
 * Writes `content` durably beside `path`, under a temporary name; `path` itself stays as it is until `commit`.
 * @throws KedgeError `no-space` or `storage-failed`; nothing is left behind then
 */
export async function stageFile(path: string, content: string | Uint8Array, options: { mode?: number } = {}): Promise<StagedFile> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.stage`);
  waiting.add(temporary);
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await forget(temporary);
    throw storageError(`write "${path}"`, error);
  }
  let committed = false;
  return {
    path,
    async commit() {
      if (committed && holds(path, content)) return;
      try {
        // Synchronous on purpose: inside the blackout a rename must not queue behind slow reads in the thread pool.
        renameSync(temporary, path);
      } catch (error) {
        throw storageError(`rename the new content of "${path}" into place`, error);
      }
      waiting.delete(temporary);
      committed = true;
    },
    syncFolder: () => syncFolder(folder),
    async discard() {
      if (waiting.has(temporary)) await forget(temporary);
    },
  };
}

/** Replaces `path` by `content`, durable when it returns. @throws KedgeError `no-space` or `storage-failed` */
export async function writeDurably(path: string, content: string | Uint8Array, options: { mode?: number } = {}): Promise<void> {
  const staged = await stageFile(path, content, options);
  try {
    await staged.commit();
  } catch (error) {
    await staged.discard();
    throw error;
  }
  await staged.syncFolder();
}

/** Removes `path`, durable when it returns; a missing file is fine. @throws KedgeError `storage-failed` */
export async function removeDurably(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw storageError(`remove "${path}"`, error);
    if (!existsSync(dirname(path))) return;
  }
  // Even when the file was missing: an earlier attempt may have died between its unlink and its fsync.
  await syncFolder(dirname(path));
}

/**
 * Removes temporary files that died with their writer, and returns their names. Files that this process still
 * holds are kept; the caller must hold the lock that makes it the only writer of `folder`. A missing folder has none.
 * @throws KedgeError `storage-failed`
 */
export async function removeStaleStages(folder: string): Promise<readonly string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storageError(`list "${folder}"`, error);
  }
  const stale = names.filter((name) => STAGE_NAME.test(name) && !waiting.has(join(folder, name)));
  for (const name of stale) await removeDurably(join(folder, name));
  return stale;
}

/** Makes all renames and removals in `folder` durable. @throws KedgeError `storage-failed` */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw storageError(`make the entries of "${folder}" durable`, error);
  }
}

function holds(path: string, content: string | Uint8Array): boolean {
  try {
    return readFileSync(path).equals(Buffer.from(content));
  } catch {
    return false;
  }
}

async function forget(temporary: string): Promise<void> {
  waiting.delete(temporary);
  // A leftover is harmless and removed by removeStaleStages: the first error is the one to report.
  await unlink(temporary).catch(() => undefined);
}
