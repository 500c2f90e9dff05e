import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import type { MigrationOptions } from '../src/domain/migration.js';
import { instantMs, workflowTimeMs } from './workflow-time.js';

/** Says when a held migration may switch over: at the update `release`, or at the instant `holdUntil`. */
export class HoldSwitch {
  readonly #options: MigrationOptions;
  #released: boolean;

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
  }

  /** Calls `onRelease` when the hold ends while `work` runs; the timer ends with the work. */
  async during<Result>(work: () => Promise<Result>, onRelease: () => Promise<void>): Promise<Result> {
    if (this.#released) return work();
    const watch = new CancellationScope();
    // A hold that can't be released any more has ended with the work itself: nobody waits for this branch.
    void watch
      .run(() => this.#end())
      .then(onRelease)
      .catch(() => undefined);
    try {
      return await work();
    } finally {
      watch.cancel();
    }
  }

  async #end(): Promise<void> {
    const released = condition(() => this.#released);
    const { holdUntil } = this.#options;
    await (holdUntil === undefined ? released : Promise.race([released, sleep(Math.max(1, instantMs(holdUntil) - workflowTimeMs()))]));
    this.#released = true;
  }
}
