import { CancellationScope, condition } from '@temporalio/workflow';
import { ERROR_CODES } from '../src/domain/error-codes.js';
import { DEATH_DECISIONS, type DeathDecision, type OperatorAnswer, type OperatorDecision, type OperatorQuestion } from '../src/domain/migration.js';
import { readFailure, type KedgeFailure } from '../src/domain/read-failure.js';
import { knowsDeadNodes } from './patches.js';
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
  /** Where the work may wait for a node that never comes back. */
  readonly doubt?: DoubtHelp;
}

export interface DoubtReport {
  readonly facts: readonly string[];
  readonly choices: Readonly<Partial<Record<DeathDecision, string>>>;
}

/** What can be found out and decided about a node that may never come back. */
export interface DoubtHelp {
  /** True: a node was given up without the operator, the work is to be tried anew. */
  decideAlone(): Promise<boolean>;
  report(): Promise<DoubtReport>;
  /** @throws the reason why it can't be: nothing was decided then */
  giveUp(decision: DeathDecision, statedBy: string): Promise<void>;
}

/** `given-up`: a node was, so that the work has another way to go. */
type Answer = Exclude<OperatorDecision, DeathDecision> | 'given-up';

interface OpenQuestion {
  readonly question: OperatorQuestion;
  answer: OperatorAnswer | null;
}

/** Where a workflow that can't go on alone puts its question, and where the update `decide` puts the answer. */
export class OperatorDesk {
  readonly #patience: Patience;
  #open: OpenQuestion | null = null;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  get question(): OperatorQuestion | null {
    return this.#open?.question ?? null;
  }

  /** Answers the open question; the caller has checked that there is one. */
  decide(answer: OperatorAnswer): void {
    if (this.#open !== null) this.#open.answer = answer;
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
      const answer = await this.#superviseAttempt(attempt, task);
      if (answer === 'done') return 'done';
      if (answer === 'retry') continue;
      scope.cancel();
      if (answer === 'given-up') continue;
      if (answer === 'skip') return 'skipped';
      throw new SagaAbandoned(task.step, undefined);
    }
  }

  async #superviseAttempt(attempt: Promise<AttemptEnd>, task: PersistTask): Promise<Answer | 'done'> {
    for (;;) {
      const first = await this.#patience.within(attempt, task.askAfterMs);
      if (first?.end === 'done') return 'done';
      if (first?.end === 'failed') return this.#ask(questionOf(task, first.error), task, { isOver: false });
      const asking = { isOver: false };
      const answered = this.#ask(slowQuestionOf(task), task, asking);
      const answer = await Promise.race([attempt, answered]);
      if (typeof answer === 'string') {
        // Nothing failed: "retry" means to go on waiting for the attempt that Temporal keeps repeating.
        if (answer !== 'retry') return answer;
        continue;
      }
      asking.isOver = true;
      // What was begun about the lost node has an effect outside: its end is waited for.
      if (task.doubt !== undefined && knowsDeadNodes()) await answered;
      this.#open = null;
    }
  }

  /** `asking.isOver`: the work has ended by itself, nobody needs the answer any more. */
  async #ask(question: OperatorQuestion, task: PersistTask, asking: { isOver: boolean }): Promise<Answer> {
    const doubt = task.doubt !== undefined && knowsDeadNodes() ? task.doubt : null;
    if (doubt === null) return this.#put(question, asking).then(({ decision }) => (isDeath(decision) ? 'retry' : decision));
    if (await doubt.decideAlone().catch(() => false)) return 'given-up';
    for (let refusal = ''; ; ) {
      if (asking.isOver) return 'retry';
      const report = await doubt.report().catch(() => null);
      const asked = report === null ? question : { ...question, facts: report.facts, choices: { ...question.choices, ...report.choices } };
      const { decision, statedBy } = await this.#put({ ...asked, message: `${refusal}${question.message}` }, asking);
      if (!isDeath(decision)) return decision;
      try {
        await doubt.giveUp(decision, statedBy);
        return 'given-up';
      } catch (error) {
        refusal = `${readFailure(error).message}. `;
      }
    }
  }

  /** Opens a question, unless it is over by now, and waits for the answer. */
  async #put(question: OperatorQuestion, asking: { readonly isOver: boolean }): Promise<OperatorAnswer> {
    const open: OpenQuestion = { question, answer: null };
    if (!asking.isOver) this.#open = open;
    await condition(() => open.answer !== null || asking.isOver);
    if (this.#open === open) this.#open = null;
    return open.answer ?? { decision: 'retry', statedBy: '' };
  }
}

function isDeath(decision: OperatorDecision): decision is DeathDecision {
  return DEATH_DECISIONS.some((death) => death === decision);
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
