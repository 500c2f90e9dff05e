import { describe, expect, it } from 'vitest';
import { chooseCompression } from '../../../../src/drivers/rsync/choose-compression.js';

const MIB = 1_048_576;
const all = ['zstd', 'lz4', 'zlibx', 'zlib'];

describe('compression of a copy', () => {
  it.each([
    { ours: all, theirs: all, linkBytesPerSecond: null, chosen: 'lz4' },
    { ours: all, theirs: all, linkBytesPerSecond: 1_000 * MIB, chosen: 'lz4' },
    { ours: all, theirs: all, linkBytesPerSecond: 12 * MIB, chosen: 'zstd' },
    { ours: all, theirs: ['lz4'], linkBytesPerSecond: 12 * MIB, chosen: 'lz4' },
    { ours: all, theirs: ['zlibx', 'zlib'], linkBytesPerSecond: 12 * MIB, chosen: 'none' },
    { ours: [], theirs: all, linkBytesPerSecond: null, chosen: 'none' },
  ])('is $chosen between $ours and $theirs at $linkBytesPerSecond bytes a second', ({ chosen, ...options }) => {
    expect(chooseCompression(options)).toBe(chosen);
  });
});
