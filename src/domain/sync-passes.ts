/** When to stop copying the disks of a guest that still runs: pure, from the passes that were made. */

/** One finished pass over all disks. */
export interface SyncPass {
  /** What differed and was sent; bytes. */
  readonly deltaBytes: number;
  readonly durationMs: number;
}

/** A delta that is sent in so short a time costs the guest less than another pass would win. */
const SHORT_PASS_MS = 3_000;
const SMALL_DELTA_BYTES = 16 * 2 ** 20;
/** A pass that leaves more than this share of the best one has stopped shrinking. */
const SHRINKING_SHARE = 0.7;
const MOST_PASSES = 8;

/**
 * Is it time to shut the guest down? The delta of the last pass is what the pass after the shutdown will about find. The first pass copies
 * everything and says nothing of it, unless it was short.
 */
export function isSynced(passes: readonly SyncPass[]): boolean {
  const last = passes.at(-1);
  if (last === undefined) return false;
  if (last.durationMs <= SHORT_PASS_MS || last.deltaBytes <= SMALL_DELTA_BYTES) return true;
  if (passes.length === 1) return false;
  const before = passes.slice(0, -1).map(({ deltaBytes }) => deltaBytes);
  return passes.length >= MOST_PASSES || last.deltaBytes > SHRINKING_SHARE * Math.min(...before);
}
