import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Makes holes of the zeroes in an image that nobody writes to; what it holds stays. @throws the errors of `execFile`: some file systems can't */
export async function digHoles(path: string, signal: AbortSignal): Promise<void> {
  await promisify(execFile)('fallocate', ['--dig-holes', path], { signal });
}
