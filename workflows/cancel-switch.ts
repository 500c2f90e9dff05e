import { CancellationScope, sleep } from '@temporalio/workflow';

/** Why a migration is cut short; null while it is not, or when Temporal's own cancel did it. */
export type CancelReason = 'cancelled' | 'deadline-exceeded';

/** The scope that the steps up to the commit step run in, with everything that may cancel it. */
export class CancelSwitch {
  readonly #scope = new CancellationScope();
  readonly #deadline = new CancellationScope();
  #reason: CancelReason | null = null;

  get reason(): CancelReason | null {
    return this.#reason ?? (this.#scope.consideredCancelled ? 'cancelled' : null);
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
    this.#deadline
      .run(() => sleep(timeoutMs))
      .then(
        () => this.cancel('deadline-exceeded'),
        () => undefined,
      );
  }

  stopDeadline(): void {
    this.#deadline.cancel();
  }
}
