import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { storageError } from '../host/storage-error.js';

const TIMEOUT_MS = 60_000;

/**
 * Runs qemu-img to its end and answers its output; `doing` continues "Cannot …" in the error.
 * @throws KedgeError `storage-failed` with what it said
 */
export async function qemuImg(args: readonly string[], doing: string): Promise<string> {
  try {
    return (await promisify(execFile)('qemu-img', [...args], { timeout: TIMEOUT_MS, env: { PATH: process.env['PATH'], LC_ALL: 'C' } })).stdout;
  } catch (error) {
    throw storageError(doing, error);
  }
}
