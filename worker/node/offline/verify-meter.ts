import type { CopiedVolume } from '../../../src/domain/moving-volume.js';
import type { VolumesTask } from './copy-task.js';
import { diskProgress } from './disk-progress.js';

/** Tells how far the reading of all volumes has come: in allocated bytes, as the copy of them was told. */
export class VerifyMeter {
  readonly #task: VolumesTask;
  readonly #began = performance.now();
  readonly #total: number;
  #read = 0;

  constructor(task: VolumesTask) {
    this.#task = task;
    this.#total = task.prepared.volumes.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  }

  /** So much of one volume, from 0 to 1, after those that are finished. */
  reading(volume: CopiedVolume, share: number): void {
    this.#report(this.#read + volume.allocatedBytes * share);
  }

  finished(volume: CopiedVolume): void {
    this.#read += volume.allocatedBytes;
    this.#report(this.#read);
  }

  #report(done: number): void {
    const { attempt } = this.#task;
    this.#task.report(diskProgress({ phase: 'verify', round: 1, doneBytes: done, totalBytes: this.#total, beganMs: this.#began, attempt }));
  }
}
