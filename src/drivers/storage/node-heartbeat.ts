import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeName } from '../../domain/ids.js';
import { storageError } from '../host/storage-error.js';

/** Name of the file of a node's heartbeat, beside the notes of a shared storage (guest-notes.ts). */
export function heartbeatName(node: NodeName): string {
  return `heartbeat.${node}`;
}

/**
 * Replaces a node's heartbeat, and returns when it is on the disk. In place, and not by a new name: a client of NFS asks the server about a file that it
 * opens, but may believe in an old list of names for a minute. So short a text is never seen half written by a reader who only wants to know whether it changed.
 * @throws KedgeError `storage-failed`, `no-space`
 */
export async function writeHeartbeat(folder: string, { node, text }: { readonly node: NodeName; readonly text: string }): Promise<void> {
  const file = join(folder, heartbeatName(node));
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(file, 'w', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw storageError(`write "${file}"`, error);
  }
}
