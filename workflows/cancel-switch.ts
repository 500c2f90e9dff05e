import { CancellationScope, sleep } from '@temporalio/workflow';
import { workflowTimeMs } from './workflow-time.js';

/** Why a migration is cut short; null while it is not, or when Temporal's own cancel did it. */
export type CancelReason = 'cancelled' | 'deadline-exceeded';

/** The scope that the steps up to the commit step run in, with everything that may cancel it. */
export class CancelSwitch {
  readonly #scope = new CancellationScope();
  #deadline: { readonly scope: CancellationScope; readonly endsAtMs: number } | null = null;
  #reason: CancelReason | null = null;
  #stoppedBy: CancelReason | null = null;

  get reason(): CancelReason | null {
    return this.#reason ?? (this.#scope.consideredCancelled ? 'cancelled' : null);
  }

  /**
   * Why the step that failed was cut short; null when it failed by itself, whatever was asked for while it was undone. A call that was cut
   * short may end with any failure, such as the death of its worker: the cancel is what stopped the migration all the same.
   */
  get stoppedBy(): CancelReason | null {
    return this.#stoppedBy;
  }

  /** A step has failed; none is begun after it. */
  noteFailure(): void {
    this.#stoppedBy = this.reason;
  }

  run(work: () => Promise<void>): Promise<void> {
    return this.#scope.run(work);
  }

  cancel(reason: CancelReason): void {
    this.#reason ??= reason;
    this.#scope.cancel();
  }

  /** Cancels when the time is up, unless `stopDeadline` comes first. */
  startDeadline(timeoutMs: number): void {
    const scope = new CancellationScope();
    this.#deadline = { scope, endsAtMs: workflowTimeMs() + timeoutMs };
    scope
      .run(() => sleep(timeoutMs))
      .then(
        () => this.cancel('deadline-exceeded'),
        () => undefined,
      );
  }

  stopDeadline(): void {
    this.#deadline?.scope.cancel();
    this.#deadline = null;
  }

  /** Waits without the clock of the deadline running. */
  async withoutDeadline(wait: () => Promise<void>): Promise<void> {
    const leftMs = this.#deadline === null ? null : Math.max(1, this.#deadline.endsAtMs - workflowTimeMs());
    this.stopDeadline();
    await wait();
    if (leftMs !== null) this.startDeadline(leftMs);
  }
}
