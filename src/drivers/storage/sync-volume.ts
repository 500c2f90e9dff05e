import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { storageError } from '../host/storage-error.js';

/** Makes durable what a volume, or a copy of one, holds. @throws KedgeError `storage-failed`, `no-space` */
export async function syncVolume({ path, kind }: { readonly path: string; readonly kind: 'file' | 'tree' }): Promise<void> {
  try {
    // A tree is as durable as its file system: nothing less covers folders, links and attributes.
    if (kind === 'tree') await promisify(execFile)('sync', ['--file-system', path]);
    else await syncFile(path);
  } catch (error) {
    throw storageError(`make ${path} durable`, error);
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
