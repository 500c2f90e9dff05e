import { CancellationScope, sleep } from '@temporalio/workflow';
import { workflowTimeMs } from './workflow-time.js';

/** Workflow time and its timers; a test has its own. */
export interface Timers {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  sleep(milliseconds: number): Promise<void>;
}
const WORKFLOW_TIMERS: Timers = { nowMs: workflowTimeMs, sleep: (milliseconds) => CancellationScope.nonCancellable(() => sleep(milliseconds)) };

/**
 * Tells when something takes too long, with one timer for all that a workflow waits for, one after the other or at once. The timer is
 * not cancelled when the waiting ends: it serves the next, or fires for nobody. One event of history instead of two for each wait.
 */
export class Patience {
  readonly #sharesTimer: boolean;
  readonly #timers: Timers;
  readonly #waits = new Set<Wait>();
  #wakesAtMs = Infinity;

  constructor({ sharesTimer }: { sharesTimer: boolean }, timers: Timers = WORKFLOW_TIMERS) {
    this.#sharesTimer = sharesTimer;
    this.#timers = timers;
  }

  /** What `work` resolves with, or null when the time (in milliseconds) was up first; the work goes on. */
  async within<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result | null> {
    if (!this.#sharesTimer) return withinOwnTimer(work, timeoutMs);
    let wait: Wait | undefined;
    const timeUp = new Promise<null>((resolve) => {
      wait = { dueMs: this.#timers.nowMs() + timeoutMs, timeIsUp: () => resolve(null) };
      this.#waits.add(wait);
      this.#wakeAt(wait.dueMs);
    });
    try {
      return await Promise.race([work, timeUp]);
    } finally {
      if (wait !== undefined) this.#waits.delete(wait);
    }
  }

  /**
   * What `work` resolves with; tells once when it takes longer. Not in executions without the shared timer: there it would be a change of
   * their shape.
   */
  async watch<Result extends object>(work: Promise<Result>, { timeoutMs, onSlow }: { timeoutMs: number; onSlow: () => void }): Promise<Result> {
    if (this.#sharesTimer && (await this.within(work, timeoutMs)) === null) onSlow();
    return work;
  }

  /** Has a timer run that fires then, or earlier. No cancel reaches it. */
  #wakeAt(dueMs: number): void {
    if (this.#wakesAtMs <= dueMs) return;
    this.#wakesAtMs = dueMs;
    void this.#timers.sleep(Math.max(1, dueMs - this.#timers.nowMs())).then(() => {
      // An earlier one may have taken its place.
      if (this.#wakesAtMs === dueMs) this.#wake();
    });
  }

  #wake(): void {
    const nowMs = this.#wakesAtMs;
    this.#wakesAtMs = Infinity;
    for (const wait of [...this.#waits]) {
      if (wait.dueMs > nowMs) continue;
      this.#waits.delete(wait);
      wait.timeIsUp();
    }
    const nextMs = Math.min(...[...this.#waits].map((wait) => wait.dueMs));
    if (nextMs < Infinity) this.#wakeAt(nextMs);
  }
}

interface Wait {
  /** Workflow time, milliseconds since the epoch. */
  readonly dueMs: number;
  readonly timeIsUp: () => void;
}

async function withinOwnTimer<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result | null> {
  const timer = new CancellationScope();
  const timeUp = timer
    .run(() => sleep(timeoutMs))
    .then(
      () => null,
      () => null,
    );
  const first = await Promise.race([work, timeUp]);
  timer.cancel();
  return first;
}
