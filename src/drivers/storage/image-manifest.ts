import { createHash, webcrypto } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import { errnoOf, storageError } from '../host/storage-error.js';
import { blocksWithData } from './blocks-with-data.js';

/** What an image holds, block by block; plain JSON, so that one node can send it to another. */
export interface ImageManifest {
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly blockBytes: number;
  /** sha256, hex, over the size and the digests of all blocks: equal roots mean equal images. */
  readonly root: string;
  /** sha256 of each block, one after the other, base64: 8 MiB for an image of 1 TiB. */
  readonly digests: string;
}

export interface ManifestProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}

const BLOCK_BYTES = 4 * 1024 * 1024;
const DIGEST_BYTES = 32;
const ZEROES = Buffer.alloc(BLOCK_BYTES);

/** Holes cost nothing, but a terabyte of them is 262,144 steps: the event loop gets its turn in between. */
const HOLES_AT_ONCE = 1_024;

/**
 * Reads a whole image file, as bytes, whatever its format, in constant memory. A hole counts as the zeroes that a reader sees, and
 * costs nothing. Reading and hashing are done by libuv's threads: the event loop only hands blocks over.
 * @throws KedgeError `guest-state` the image was written to in the meantime, `cancelled`, `not-found`, `storage-failed`
 */
export async function makeImageManifest(
  file: string,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: ManifestProgress) => void } = {},
): Promise<ImageManifest> {
  const handle = await openImage(file);
  try {
    const before = await handle.stat({ bigint: true });
    const sizeBytes = Number(before.size);
    const digests = await hashBlocks(handle, { file, sizeBytes, ...options });
    const after = await handle.stat({ bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) {
      throw new KedgeError('guest-state', `Cannot verify ${file}: it was written to while it was read`, { details: { file } });
    }
    const root = createHash('sha256').update(`${sizeBytes}\n`).update(digests).digest('hex');
    return { sizeBytes, allocatedBytes: Number(after.blocks) * 512, blockBytes: BLOCK_BYTES, root, digests: digests.toString('base64') };
  } catch (error) {
    throw error instanceof KedgeError ? error : storageError(`read ${file}`, error);
  } finally {
    await handle.close();
  }
}

interface Hashing {
  readonly file: string;
  readonly sizeBytes: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ManifestProgress) => void;
}

async function hashBlocks(handle: FileHandle, { file, sizeBytes, signal, onProgress }: Hashing): Promise<Buffer> {
  const count = Math.ceil(sizeBytes / BLOCK_BYTES);
  const digests = Buffer.alloc(count * DIGEST_BYTES);
  const hasData = await blocksWithData(file, { sizeBytes, blockBytes: BLOCK_BYTES, ...(signal === undefined ? {} : { signal }) });
  const zeroDigest = await sha256(ZEROES);
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  let hashing: Promise<unknown> = Promise.resolve();
  try {
    for (let index = 0; index < count; index += 1) {
      if (signal?.aborted === true) throw new KedgeError('cancelled', `Cannot go on reading ${file}: it was cancelled`);
      const length = Math.min(BLOCK_BYTES, sizeBytes - index * BLOCK_BYTES);
      if (length === BLOCK_BYTES && !hasData(index)) {
        digests.set(zeroDigest, index * DIGEST_BYTES);
        if (index % HOLES_AT_ONCE === 0) await setImmediate();
      } else {
        const block = buffer.subarray(0, length);
        await readBlock(handle, { block, position: index * BLOCK_BYTES });
        // One block is hashed while the next one is read.
        await hashing;
        hashing = sha256(block).then((digest) => digests.set(digest, index * DIGEST_BYTES));
        hashing.catch(() => undefined);
      }
      onProgress?.({ bytes: index * BLOCK_BYTES + length, totalBytes: sizeBytes });
    }
  } finally {
    await hashing;
  }
  return digests;
}

async function readBlock(handle: FileHandle, { block, position }: { block: Buffer; position: number }): Promise<void> {
  let done = 0;
  while (done < block.length) {
    const { bytesRead } = await handle.read(block, done, block.length - done, position + done);
    if (bytesRead === 0) throw new KedgeError('guest-state', 'Cannot verify the image: it became shorter while it was read');
    done += bytesRead;
  }
}

/** WebCrypto makes digests off the main thread, createHash does not; it takes a copy, so that the buffer is free for the next block. */
async function sha256(block: Buffer): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest('SHA-256', block));
}

async function openImage(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new KedgeError('not-found', `Cannot verify ${file}: it does not exist`, { cause: error });
    throw storageError(`open ${file}`, error);
  }
}
