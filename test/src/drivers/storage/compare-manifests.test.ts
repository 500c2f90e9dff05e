import { describe, expect, it } from 'vitest';
import { compareAllocation, compareManifests } from '../../../../src/drivers/storage/compare-manifests.js';
import type { ImageManifest } from '../../../../src/drivers/storage/image-manifest.js';

const MIB = 1_048_576;
const manifest = (letters: string, sizeBytes = letters.length): ImageManifest => ({
  sizeBytes,
  allocatedBytes: 0,
  blockBytes: 4 * MIB,
  root: `${sizeBytes} ${letters}`,
  digests: Buffer.concat(letters.split('').map((letter) => Buffer.alloc(32, letter))).toString('base64'),
});

describe('two images', () => {
  it('are equal, or differ in the blocks that are named', () => {
    expect(compareManifests(manifest('abcd'), manifest('abcd'))).toEqual({ kind: 'equal' });
    expect(compareManifests(manifest('abcd'), manifest('xbcy'))).toEqual({ kind: 'content', blockBytes: 4 * MIB, blocks: [0, 3] });
  });

  it('of other sizes are not compared further', () => {
    expect(compareManifests(manifest('ab', 8), manifest('ab', 9))).toEqual({ kind: 'size', sourceBytes: 8, targetBytes: 9 });
  });

  it.each([
    [128, 123, 'equal'],
    [128, 136, 'equal'],
    [128, 100, 'sparser'],
    [128, 2_048, 'fatter'],
    [0, 9, 'fatter'],
    [10_000, 10_400, 'equal'],
    [10_000, 10_600, 'fatter'],
  ])('of which the source takes %i MiB and the target %i are %s', (source, target, verdict) => {
    expect(compareAllocation({ allocatedBytes: source * MIB }, { allocatedBytes: target * MIB })).toBe(verdict);
  });
});
