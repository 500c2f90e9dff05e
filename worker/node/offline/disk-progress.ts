import type { CopyProgress } from '../../../src/domain/migration.js';

/** How far the work on all disks of a guest has come, at the mean rate since it began. */
export function diskProgress(work: {
  readonly phase: CopyProgress['phase'];
  readonly round: number;
  /** Bytes, of `totalBytes`. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** `performance.now()` at its begin. */
  readonly beganMs: number;
  /** Of the activity, from 1. */
  readonly attempt: number;
}): CopyProgress {
  const { phase, round, doneBytes, totalBytes, beganMs, attempt } = work;
  const seconds = (performance.now() - beganMs) / 1_000;
  const rate = seconds > 0 ? doneBytes / seconds : 0;
  const left = totalBytes - doneBytes;
  return {
    v: 1,
    phase,
    round,
    bytesSent: Math.round(doneBytes),
    bytesLeft: Math.round(left),
    bytesTotal: totalBytes,
    rate,
    dirtyRate: 0,
    expectedBlackoutMs: 0,
    etaSeconds: rate > 0 ? left / rate : null,
    reattached: attempt - 1,
  };
}
