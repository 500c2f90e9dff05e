/**
 * Runs the steps of a workflow that either happens or leaves nothing behind.
 *
 *   step 1 → step 2 → … → commit step → later steps → done
 *      ↓ a failure, or a cancel              ↓ a failure
 *   undo, last step first                 tried again, or decided by the operator: never undone
 *
 * Three rules make it safe. An undo is registered before its forward step runs, because a step that failed may have acted: so
 * every undo tolerates "never happened". Undos run where no cancel reaches them, retried without end. And the commit step
 * answers for its outcome: it resolves when it surely happened, rejects when it surely did not, and finds out what it doesn't know.
 *
 * No import of Temporal: scopes and patience come from the host, so that the order can be tested alone.
 */

/** One step, with its undo beside it or the reason why it needs none. */
export type SagaStep<Name extends string> = {
  readonly name: Name;
  readonly forward: () => Promise<void>;
  /** After this step nothing is undone. Exactly one step of a saga. */
  readonly commit?: true;
} & ({ readonly undo: () => Promise<void> } | { readonly noUndo: string });

export type SagaEvent = 'begun' | 'done' | 'failed' | 'undoing' | 'undone' | 'skipped';

export interface SagaHost<Name extends string> {
  /** Runs where a cancel reaches it. */
  cancellable(work: () => Promise<void>): Promise<void>;
  /** Runs where no cancel reaches it. */
  shielded(work: () => Promise<void>): Promise<void>;
  /** Gets `work` done, or has the operator decide: `skipped`, or a rejection with SagaAbandoned. */
  persist(task: SagaTask<Name>): Promise<'done' | 'skipped'>;
  report(step: Name, event: SagaEvent, error?: unknown): void;
  /** The commit step is done. */
  committed(): void;
}

export interface SagaTask<Name extends string> {
  readonly step: Name;
  readonly direction: 'forward' | 'undo';
  readonly work: () => Promise<void>;
}

/** The operator gave up on the saga: nothing more is done or undone. */
export class SagaAbandoned extends Error {
  constructor(step: string, cause: unknown) {
    super(`Abandoned by the operator at step ${step}`, { cause });
    this.name = 'SagaAbandoned';
  }
}

/** Runs what comes before the saga, under the same cancel: a step that only reads, and by whose answer the others are chosen. */
export async function runReading<Name extends string, Answer>(step: Name, read: () => Promise<Answer>, host: SagaHost<Name>): Promise<Answer> {
  const answers: Answer[] = [];
  await host.cancellable(() =>
    runStep(
      {
        name: step,
        forward: async () => {
          answers.push(await read());
        },
        noUndo: 'Only reads',
      },
      host,
    ),
  );
  const [answer] = answers;
  if (answer === undefined) throw new Error(`Step ${step} ended without an answer`);
  return answer;
}

/**
 * Runs all steps in their order.
 * @throws what the failed step threw, after everything before it was undone; SagaAbandoned.
 */
export async function runSaga<Name extends string>(steps: readonly SagaStep<Name>[], host: SagaHost<Name>): Promise<void> {
  const commitAt = steps.findIndex((step) => step.commit === true);
  const registered: SagaStep<Name>[] = [];
  try {
    await host.cancellable(async () => {
      for (const step of steps.slice(0, commitAt + 1)) {
        registered.push(step);
        await runStep(step, host);
      }
    });
  } catch (error) {
    if (error instanceof SagaAbandoned) throw error;
    await host.shielded(() => unwind(registered, host));
    throw error;
  }
  host.committed();
  await host.shielded(() => rollForward(steps.slice(commitAt + 1), host));
}

async function runStep<Name extends string>(step: SagaStep<Name>, host: SagaHost<Name>): Promise<void> {
  host.report(step.name, 'begun');
  try {
    await step.forward();
  } catch (error) {
    host.report(step.name, 'failed', error);
    throw error;
  }
  host.report(step.name, 'done');
}

async function unwind<Name extends string>(registered: readonly SagaStep<Name>[], host: SagaHost<Name>): Promise<void> {
  for (const step of [...registered].reverse()) {
    if (!('undo' in step)) continue;
    host.report(step.name, 'undoing');
    const end = await host.persist({ step: step.name, direction: 'undo', work: step.undo });
    host.report(step.name, end === 'done' ? 'undone' : 'skipped');
  }
}

async function rollForward<Name extends string>(steps: readonly SagaStep<Name>[], host: SagaHost<Name>): Promise<void> {
  for (const step of steps) {
    host.report(step.name, 'begun');
    host.report(step.name, await host.persist({ step: step.name, direction: 'forward', work: step.forward }));
  }
}
