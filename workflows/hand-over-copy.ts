import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { MigrationRole } from '../activities/interface.js';
import type { OperatorQuestion } from '../src/domain/migration.js';
import { readFailure } from '../src/domain/read-failure.js';
import { withdraw } from './dead-node.js';
import { doubtHelp } from './doubt-help.js';
import { cancelsBeforeHandOver } from './patches.js';
import type { MigrationContext } from './migration-context.js';

/**
 * The commit step of a guest that is off: the target owns it when it resolves, the source has it as before when it rejects. The call is
 * repeatable at every point; while neither node can tell, it is repeated, and the operator is asked.
 * @throws ApplicationFailure `rolled-back`; SagaAbandoned.
 */
export async function handOverCopy(context: MigrationContext): Promise<void> {
  const { story, migration, cancel } = context;
  const { target } = migration;
  // A step that was under way when the cancel came may have ended well. Nothing has been said to the target yet: it is in time.
  if (cancel.reason !== null && cancelsBeforeHandOver()) throw new CancelledFailure('Cancelled before the hand-over');
  try {
    await context.source().idempotent.handOverCopy({ step: story.nextStep(), target });
  } catch (error) {
    if (wasRefused(error)) throw error;
    await insist(context);
  }
}

/** No cancel reaches it: the word to go may have been said already. */
async function insist(context: MigrationContext): Promise<void> {
  const { desk, story, migration, dead } = context;
  const refusals: Error[] = [];
  await CancellationScope.nonCancellable(async () => {
    const end = await desk.persist({
      step: 'hand-over',
      purpose: `guest ${migration.vmid} handed over to ${migration.target}`,
      askAfterMs: migration.timings.askOperatorAfterMs,
      choices: CHOICES,
      doubt: doubtHelp(context, ['source', 'target']),
      work: async () => {
        let known: MigrationRole | null;
        do {
          known = dead.role;
          await (known === null ? handOver() : withoutLost(known));
          // A node may be given up while the answer is on its way: its record is void then, whatever it was.
        } while (known !== dead.role && refusals.length === 0);
      },
    });
    if (end === 'skipped') refusals.push(rolledBack(migration.vmid, migration.target));
  });
  const [refusal] = refusals;
  if (refusal !== undefined) throw refusal;

  async function handOver(): Promise<void> {
    try {
      await context.source().undo.handOverCopy({ step: story.nextStep(), target: migration.target });
    } catch (error) {
      if (!(error instanceof Error) || !wasRefused(error)) throw error;
      refusals.push(error);
    }
  }

  /** The source takes the guest back without the target's word, or the target takes it over without the source's. */
  async function withoutLost(lost: MigrationRole): Promise<void> {
    try {
      if (lost === 'source') {
        const { startedAt } = await context.target().undo.takeOverCopy({ step: story.nextStep(), source: story.source });
        if (startedAt !== null) story.cameUp(startedAt);
        return;
      }
      await context.source().undo.unclaimGuest({ step: story.nextStep(), target: migration.target, mode: 'offline', dead: 'target' });
      refusals.push(rolledBack(migration.vmid, migration.target, 'was given up: that node is off for good'));
    } catch (error) {
      const { code } = readFailure(error);
      // It answers, so it was not off: the nodes' own words count again.
      if (code === 'node-alive' || code === 'cancel-refused') await withdraw(context, lost);
      throw error;
    }
  }
}

function wasRefused(error: unknown): boolean {
  const failure = readFailure(error);
  return failure.answer === 'given' && failure.code === 'rolled-back';
}

function rolledBack(vmid: number, target: string, why = 'was given up by the operator'): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'rolled-back',
    nonRetryable: true,
    message: `The hand-over of guest ${vmid} to ${target} ${why}`,
  });
}

const CHOICES: OperatorQuestion['choices'] = {
  retry: 'Go on trying; right when both nodes will come back',
  skip: 'Roll back to the source; it still refuses as long as the target may have taken over. Right when the target is known to be off for good',
  abandon: 'End this migration as it stands; nothing is undone, "kedge audit" shows what is left',
};
