import type { CopyProgress, FilesDone } from '../../../src/domain/migration.js';
import type { CopiedVolume } from '../../../src/domain/moving-volume.js';

/** How far the work on all disks of a guest has come, at the mean rate since it began. */
export function diskProgress(work: {
  readonly phase: CopyProgress['phase'];
  readonly round: number;
  /** Bytes, of `totalBytes`. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Null: there is no tree, or nothing is known of its files yet. */
  readonly files: FilesDone | null;
  /** `performance.now()` at its begin. */
  readonly beganMs: number;
  /** Of the activity, from 1. */
  readonly attempt: number;
}): CopyProgress {
  const { phase, round, doneBytes, totalBytes, files, beganMs, attempt } = work;
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
    ...(files === null ? {} : { files }),
    rate,
    dirtyRate: 0,
    expectedBlackoutMs: 0,
    etaSeconds: rate > 0 ? left / rate : null,
    reattached: attempt - 1,
  };
}

/** Files of all trees of a guest; of images nothing is counted. */
export class FilesCount {
  readonly #ofVolume = new Map<string, FilesDone>();

  seen({ from, kind }: CopiedVolume, files: FilesDone): void {
    if (kind === 'tree') this.#ofVolume.set(from, files);
  }

  finished({ from }: CopiedVolume): void {
    const files = this.#ofVolume.get(from);
    if (files !== undefined) this.#ofVolume.set(from, { ...files, done: files.total });
  }

  sum(): FilesDone | null {
    if (this.#ofVolume.size === 0) return null;
    const all = [...this.#ofVolume.values()];
    return { done: all.reduce((sum, { done }) => sum + done, 0), total: all.reduce((sum, { total }) => sum + total, 0) };
  }
}
