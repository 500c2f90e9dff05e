import type { ImageManifest } from './image-manifest.js';

export type ManifestComparison =
  | { readonly kind: 'equal' }
  | { readonly kind: 'size'; readonly sourceBytes: number; readonly targetBytes: number }
  /** Indexes of the blocks that differ, in order. */
  | { readonly kind: 'content'; readonly blockBytes: number; readonly blocks: readonly number[] };

const DIGEST_BYTES = 32;

/** Compares two images by what they hold; how much they take on their storages is `compareAllocation`'s. */
export function compareManifests(source: ImageManifest, target: ImageManifest): ManifestComparison {
  if (source.sizeBytes !== target.sizeBytes) return { kind: 'size', sourceBytes: source.sizeBytes, targetBytes: target.sizeBytes };
  if (source.root === target.root) return { kind: 'equal' };
  const ours = Buffer.from(source.digests, 'base64');
  const theirs = Buffer.from(target.digests, 'base64');
  const blocks: number[] = [];
  for (let index = 0; index * DIGEST_BYTES < Math.max(ours.length, theirs.length); index += 1) {
    const [from, to] = [index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES];
    if (!ours.subarray(from, to).equals(theirs.subarray(from, to))) blocks.push(index);
  }
  return { kind: 'content', blockBytes: source.blockBytes, blocks };
}

/** File systems allocate in units of their own, and metadata comes on top. */
const TOLERATED_BYTES = 8 * 1024 * 1024;
const TOLERATED_SHARE = 0.05;

/** `sparser`: blocks of zeroes became holes, which is fine; `fatter`: holes became zeroes, which is not. */
export function compareAllocation(
  source: Pick<ImageManifest, 'allocatedBytes'>,
  target: Pick<ImageManifest, 'allocatedBytes'>,
): 'equal' | 'sparser' | 'fatter' {
  const more = target.allocatedBytes - source.allocatedBytes;
  const tolerated = Math.max(TOLERATED_BYTES, source.allocatedBytes * TOLERATED_SHARE);
  if (Math.abs(more) <= tolerated) return 'equal';
  return more > 0 ? 'fatter' : 'sparser';
}
