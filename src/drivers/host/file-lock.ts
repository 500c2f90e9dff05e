/**
 * A real flock(2) without a native addon: Node opens the file, util-linux `flock` locks the inherited descriptor.
 * The lock belongs to the open file description, so it outlives the helper and ends with our descriptor: by `release`
 * or by any death of this process, kill -9 included. Node opens with O_CLOEXEC, so no child keeps it alive.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { KedgeError } from '../../domain/kedge-error.js';
import { flock } from './flock.js';
import { storageError } from './storage-error.js';

/** A held lock. */
export interface FileLock {
  readonly path: string;
  /** Gives the lock back; a second call does nothing. */
  release(): void;
}

/**
 * Takes the exclusive lock on `path` (made when missing, never removed: a removed lock file can be held twice).
 * Two takes in one process exclude each other as well. Costs about 1.5 ms when the lock is free.
 * @param options.waitMs how long to wait for another holder; 0 when absent
 * @throws KedgeError `guest-locked` that names the holder, `storage-failed` when the file can't be used
 */
export async function takeFileLock(path: string, options: { waitMs?: number } = {}): Promise<FileLock> {
  const descriptor = openLockFile(path);
  let taken: boolean;
  try {
    taken = await flock(descriptor, options.waitMs ?? 0);
  } catch (error) {
    closeSync(descriptor);
    throw storageError(`lock "${path}"`, error);
  }
  if (!taken) {
    closeSync(descriptor);
    throw lockedError(path);
  }
  recordHolder(descriptor);
  let held = true;
  return {
    path,
    release() {
      if (!held) return;
      held = false;
      closeSync(descriptor);
    },
  };
}

function openLockFile(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // A plain number, not a FileHandle: a collected handle would close the file and drop the lock.
    return openSync(path, 'a+', 0o600);
  } catch (error) {
    throw storageError(`open the lock file "${path}"`, error);
  }
}

function recordHolder(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`);
  } catch {
    // The pid only serves messages: a full file system must not cost the lock.
  }
}

function lockedError(path: string): KedgeError {
  const holder = readHolder(path);
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new KedgeError('guest-locked', `Cannot lock "${path}": ${who} holds it`, { details: holder === undefined ? { path } : { path, pid: holder } });
}

/** The pid in the file, if that process lives: between its lock and its write the file still names the previous holder. */
function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}
