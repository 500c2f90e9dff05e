/** How rsync packs what it sends; `none` also when the two ends have nothing in common. */
export type Compression = 'none' | 'lz4' | 'zstd';

/** Below this a core packs with zstd faster than the link carries what zstd saves over lz4. */
const SLOW_LINK_BYTES_PER_SECOND = 30 * 1024 * 1024;

/**
 * The compression for a copy, from the compress lists of both ends (`rsync --version`). lz4 costs next to nothing and
 * saves the holes of sparse images, which rsync sends as zeroes; on slow links zstd saves more.
 * @param options.linkBytesPerSecond measured or limited speed of the link; null when nobody knows
 */
export function chooseCompression(options: {
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  readonly linkBytesPerSecond: number | null;
}): Compression {
  const { ours, theirs, linkBytesPerSecond } = options;
  const both = (name: Compression): boolean => ours.includes(name) && theirs.includes(name);
  if (linkBytesPerSecond !== null && linkBytesPerSecond < SLOW_LINK_BYTES_PER_SECOND && both('zstd')) return 'zstd';
  return both('lz4') ? 'lz4' : 'none';
}
