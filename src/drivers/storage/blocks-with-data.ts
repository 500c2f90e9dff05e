import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { KedgeError } from '../../domain/kedge-error.js';

/** A line of `qemu-img map --output=json`. */
const EXTENT = /^\[?\{ "start": ([0-9]+), "length": ([0-9]+), .*"zero": (true|false), "data": (true|false)/;

/**
 * Tells which blocks of a file may hold anything but zeroes. Node can't ask for holes (SEEK_DATA), so `qemu-img map` does: it takes
 * the file for a raw image, whatever it is, and looks without a lock. One bit a block is kept.
 * @throws KedgeError `storage-failed`, `cancelled`
 */
export async function blocksWithData(
  file: string,
  options: { readonly sizeBytes: number; readonly blockBytes: number; readonly signal?: AbortSignal },
): Promise<(index: number) => boolean> {
  const { sizeBytes, blockBytes } = options;
  const count = Math.ceil(sizeBytes / blockBytes);
  // Unknown means data: only what was reported to be a hole is passed over.
  const holes = new Uint8Array(Math.ceil(count / 8));
  const child = spawn('qemu-img', ['map', '--force-share', '-f', 'raw', '--output=json', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    signal: options.signal,
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-1_000);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // A failure to start or a cancel may come while lines are still read; it is thrown where it is awaited.
  ended.catch(() => undefined);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [, start, length, zero, data] = EXTENT.exec(line) ?? [];
      if (zero !== 'true' || data !== 'false') continue;
      // A block that is only partly a hole is read: round inwards. The last block may be short.
      const first = Math.ceil(Number(start) / blockBytes);
      const end = Number(start) + Number(length) >= sizeBytes ? count : Math.floor((Number(start) + Number(length)) / blockBytes);
      for (let index = first; index < end; index += 1) holes[index >> 3] = (holes[index >> 3] ?? 0) | (1 << (index & 7));
    }
    const exitCode = await ended;
    if (exitCode !== 0) throw new Error(stderr.trim());
  } catch (error) {
    if (options.signal?.aborted === true) throw new KedgeError('cancelled', `Cannot go on reading ${file}: it was cancelled`, { cause: error });
    throw new KedgeError('storage-failed', `Cannot look for holes in ${file}`, { cause: error });
  }
  return (index) => ((holes[index >> 3] ?? 0) & (1 << (index & 7))) === 0;
}
