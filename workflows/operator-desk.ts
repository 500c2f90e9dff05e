import { CancellationScope, condition } from '@temporalio/workflow';
import { ERROR_CODES } from '../src/domain/error-codes.js';
import type { OperatorDecision, OperatorQuestion } from '../src/domain/migration.js';
import { readFailure, type KedgeFailure } from '../src/domain/read-failure.js';
import type { Patience } from './patience.js';
import { SagaAbandoned } from './saga.js';
import { workflowInstant } from './workflow-time.js';

export interface PersistTask {
  readonly step: string;
  readonly work: () => Promise<void>;
  /** Asks after so long even though the work is still being tried, in milliseconds. */
  readonly askAfterMs: number;
  /** What the last try said, where the workflow itself repeats it; otherwise the server knows. */
  readonly lastFailure?: () => KedgeFailure | null;
  /** What is being waited for, in words: "to revoke the copy on node2". */
  readonly purpose: string;
  readonly choices: OperatorQuestion['choices'];
}

/** Where a workflow that can't go on alone puts its question, and where the update `decide` puts the answer. */
export class OperatorDesk {
  readonly #patience: Patience;
  #open: { readonly question: OperatorQuestion; decision: OperatorDecision | null } | null = null;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  get question(): OperatorQuestion | null {
    return this.#open?.question ?? null;
  }

  /** Answers the open question; the caller has checked that there is one. */
  decide(decision: OperatorDecision): void {
    if (this.#open !== null) this.#open.decision = decision;
  }

  /**
   * Tries `work` until it is done. Asks when it fails for good, and when it takes long; in the second case it goes on trying
   * beside the open question, so that a node that comes back needs no operator.
   * @throws SagaAbandoned
   */
  async persist(task: PersistTask): Promise<'done' | 'skipped'> {
    for (;;) {
      const scope = new CancellationScope();
      const attempt = scope.run(task.work).then(
        () => ({ end: 'done' as const }),
        (error: unknown) => ({ end: 'failed' as const, error }),
      );
      const decision = await this.#superviseAttempt(attempt, task);
      if (decision === 'done') return 'done';
      if (decision === 'retry') continue;
      scope.cancel();
      if (decision === 'skip') return 'skipped';
      throw new SagaAbandoned(task.step, undefined);
    }
  }

  async #superviseAttempt(attempt: Promise<AttemptEnd>, task: PersistTask): Promise<OperatorDecision | 'done'> {
    for (;;) {
      const first = await this.#patience.within(attempt, task.askAfterMs);
      if (first?.end === 'done') return 'done';
      if (first?.end === 'failed') return this.#ask(questionOf(task, first.error));
      const answer = await Promise.race([attempt, this.#ask(slowQuestionOf(task))]);
      if (typeof answer === 'string') {
        // Nothing failed: "retry" means to go on waiting for the attempt that Temporal keeps repeating.
        if (answer !== 'retry') return answer;
        continue;
      }
      this.#open = null;
    }
  }

  async #ask(question: OperatorQuestion): Promise<OperatorDecision> {
    const open: { readonly question: OperatorQuestion; decision: OperatorDecision | null } = { question, decision: null };
    this.#open = open;
    await condition(() => open.decision !== null);
    if (this.#open === open) this.#open = null;
    return open.decision ?? 'retry';
  }
}

type AttemptEnd = { readonly end: 'done' } | { readonly end: 'failed'; readonly error: unknown };

function questionOf(task: PersistTask, error: unknown): OperatorQuestion {
  const { code, message } = readFailure(error);
  return {
    step: task.step,
    code,
    message: `Cannot get ${task.purpose} done: ${message}. ${ERROR_CODES[code].remedy}`,
    since: workflowInstant(),
    choices: task.choices,
  };
}

function slowQuestionOf(task: PersistTask): OperatorQuestion {
  const last = task.lastFailure?.() ?? null;
  const why = last === null ? '' : `. The last try said: ${last.message}`;
  return {
    step: task.step,
    code: last?.code ?? 'node-silent',
    message: `Still trying to get ${task.purpose} done: no success for ${Math.round(task.askAfterMs / 1000)} s${why}. It goes on by itself when the node answers`,
    since: workflowInstant(),
    choices: task.choices,
  };
}
