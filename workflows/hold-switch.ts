import { CancellationScope, condition, isCancellation, log, sleep } from '@temporalio/workflow';
import type { MigrationOptions } from '../src/domain/migration.js';
import { readFailure } from '../src/domain/read-failure.js';
import { instantMs, workflowTimeMs } from './workflow-time.js';

/** Says when a held migration may switch over: at the update `release`, or at the instant `holdUntil`. */
export class HoldSwitch {
  readonly #options: MigrationOptions;
  #released: boolean;
  /** How often a release was asked for: each one tries anew. */
  #asked = 0;

  constructor(options: MigrationOptions) {
    this.#options = options;
    this.#released = !options.hold;
  }

  /** Is there still a hold to be released? */
  get holds(): boolean {
    return !this.#released;
  }

  release(): void {
    this.#released = true;
    this.#asked += 1;
  }

  /** Waits for the end of the hold. */
  ended(): Promise<void> {
    return this.#end();
  }

  /** Calls `onRelease` when the hold ends while `work` runs; the timer ends with the work. */
  async during<Result>(work: () => Promise<Result>, onRelease: () => Promise<void>): Promise<Result> {
    if (this.#released) return work();
    const watch = new CancellationScope();
    // Nobody waits for this branch: a hold that can't be released any more has ended with the work itself.
    void this.#releaseDuring(watch, onRelease);
    try {
      return await work();
    } finally {
      watch.cancel();
    }
  }

  /** The waiting ends with `watch`; a release on its way is left to end by itself. */
  async #releaseDuring(watch: CancellationScope, onRelease: () => Promise<void>): Promise<void> {
    try {
      await watch.run(() => this.#end());
      for (let asked = this.#asked; ; asked = this.#asked) {
        if (await wasReleased(onRelease)) return;
        await watch.run(() => condition(() => this.#asked > asked));
      }
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
  }

  async #end(): Promise<void> {
    const released = condition(() => this.#released);
    const { holdUntil } = this.#options;
    await (holdUntil === undefined ? released : Promise.race([released, sleep(Math.max(1, instantMs(holdUntil) - workflowTimeMs()))]));
    this.#released = true;
  }
}

/** A release that failed for good is told: the operator removes the cause, and releases again. */
async function wasReleased(onRelease: () => Promise<void>): Promise<boolean> {
  try {
    await onRelease();
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the hold could not be released, the copy is still held', { reason: readFailure(error).message });
    return false;
  }
}
