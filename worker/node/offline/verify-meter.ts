import type { FilesDone } from '../../../src/domain/migration.js';
import type { CopiedVolume } from '../../../src/domain/moving-volume.js';
import type { VolumesTask } from './copy-task.js';
import { diskProgress, FilesCount } from './disk-progress.js';

/** Tells how far the reading of all volumes has come: in allocated bytes, as the copy of them was told. */
export class VerifyMeter {
  readonly #task: VolumesTask;
  readonly #began = performance.now();
  readonly #total: number;
  #read = 0;
  readonly #files = new FilesCount();

  constructor(task: VolumesTask) {
    this.#task = task;
    this.#total = task.prepared.volumes.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  }

  /** So much of one volume, from 0 to 1, after those that are finished. */
  reading(volume: CopiedVolume, share: number, files?: FilesDone): void {
    if (files !== undefined) this.#files.seen(volume, files);
    this.#report(this.#read + volume.allocatedBytes * share);
  }

  finished(volume: CopiedVolume): void {
    this.#files.finished(volume);
    this.#read += volume.allocatedBytes;
    this.#report(this.#read);
  }

  #report(done: number): void {
    const { attempt } = this.#task;
    const work = { phase: 'verify', round: 1, doneBytes: done, totalBytes: this.#total, files: this.#files.sum(), beganMs: this.#began, attempt } as const;
    this.#task.report(diskProgress(work));
  }
}
