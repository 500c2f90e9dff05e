import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { storageError } from '../../host/storage-error.js';

/** Makes `file` an empty qcow2 image. @throws KedgeError `storage-failed` */
export async function createQcow2(file: string, sizeBytes: number): Promise<void> {
  // Metadata for the whole disk at once costs little and makes later writes of the guest even.
  await qemuImg(['create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', file, String(sizeBytes)], `create ${file}`);
}

/** The size of a qcow2 image as a guest sees it, in bytes; works while a guest runs on it. @throws KedgeError `storage-failed` */
export async function readVirtualSize(file: string): Promise<number> {
  const output = await qemuImg(['info', '--force-share', '-f', 'qcow2', '--output=json', file], `read the size of ${file}`);
  return INFO.parse(JSON.parse(output))['virtual-size'];
}

const INFO = z.object({ 'virtual-size': z.number() });

async function qemuImg(args: readonly string[], doing: string): Promise<string> {
  try {
    return (await promisify(execFile)('qemu-img', [...args], { timeout: 60_000, env: { PATH: process.env['PATH'], LC_ALL: 'C' } })).stdout;
  } catch (error) {
    throw storageError(doing, error);
  }
}
