/**
 * Grants as files, `<run folder>/rsync-grants/<token>.json`, written and removed by the node's worker, read by the relay that
 * sshd starts for a peer. The relay holds the file open and locked for as long as its rsync may write:
 *
 *   relay:  open → lock (one rsync at a time) → is the file still there under its name? → rsync, which inherits the open file
 *   worker: unlink → end everyone who holds the file open → none is left: nobody writes to the path any more
 *
 * A relay that opened the file before the unlink is found by it, one that comes later finds no file.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError } from '../../domain/kedge-error.js';
import { removeDurably, writeDurably } from '../host/durable-file.js';
import { errnoOf, storageError } from '../host/storage-error.js';
import { endHolders } from './end-holders.js';
import { isGrantToken, parseGrant, printGrant, type RsyncGrant } from './grant-format.js';

const END_TIMEOUT_MS = 10_000;

/** A token for a new grant; journal it before `writeGrant`. */
export function newGrantToken(): string {
  return randomBytes(16).toString('hex');
}

/** Where the grant of a token is. */
export function grantFile(folder: string, token: string): string {
  if (!isGrantToken(token)) throw new KedgeError('bad-input', 'Cannot use an rsync grant: its token must be 32 hex digits');
  return join(folder, `${token}.json`);
}

/**
 * Lets a peer copy to a path of this node; the same grant again is fine, and leaves a copy under way alone.
 * @throws KedgeError `already-exists` the token grants something else, `bad-input`, `storage-failed`, `no-space`
 */
export async function writeGrant(folder: string, grant: RsyncGrant): Promise<void> {
  const file = grantFile(folder, grant.token);
  const text = printGrant(grant);
  const existing = await readIfThere(file);
  if (existing === text) return;
  // A new file under the old name would have a lock of its own, and let a second rsync in.
  if (existing !== null) throw new KedgeError('already-exists', `Cannot grant ${grant.path}: its token grants something else already`);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw storageError(`make "${folder}"`, error);
  });
  await writeDurably(file, text);
}

/**
 * Takes a grant back. When this returns no process writes to its path on a peer's behalf, and none ever will; a grant that
 * is gone already is fine.
 * @throws KedgeError `outcome-unknown` when a killed process does not go away, `storage-failed`
 */
export async function revokeGrant(folder: string, token: string): Promise<void> {
  const file = grantFile(folder, token);
  await removeDurably(file);
  await endHolders(file, END_TIMEOUT_MS);
}

/** All grants of this node; what can't be read grants nothing and is listed by its name. */
export async function listGrants(folder: string): Promise<{ readonly grants: readonly RsyncGrant[]; readonly unreadable: readonly string[] }> {
  const grants: RsyncGrant[] = [];
  const unreadable: string[] = [];
  for (const name of await namesIn(folder)) {
    const text = await readIfThere(join(folder, name));
    if (text === null) continue;
    try {
      grants.push(parseGrant(text));
    } catch {
      unreadable.push(name);
    }
  }
  return { grants, unreadable };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storageError(`list "${folder}"`, error);
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw storageError(`read "${file}"`, error);
  }
}
