import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { MigrationRole, PreparedTarget, SettledMigration } from '../activities/interface.js';
import type { CopyOptions, OperatorQuestion } from '../src/domain/migration.js';
import { readFailure, type KedgeFailure } from '../src/domain/read-failure.js';
import { isDefiniteCopyFailure } from './activity-options.js';
import { withdraw } from './dead-node.js';
import { doubtHelp } from './doubt-help.js';
import type { MigrationContext } from './migration-context.js';
import { settleMigration } from './settle-migration.js';

/** What the commit step leaves for the later ones. */
export interface CommittedCopy {
  /** The target was seen running and announced: no separate confirmation needed. */
  readonly confirmed: boolean;
}

/**
 * The commit step: the guest runs on the target when it resolves and on the source when it rejects. One activity copies and
 * hands over; it honours a cancel until the hand-over can't be stopped any more. Without its answer, both nodes are asked.
 * @throws the failure of the copy; ApplicationFailure `rolled-back` when the nodes settled it so; SagaAbandoned.
 */
export async function copyAndSwitchOver(
  context: MigrationContext,
  { prepared, granted }: { readonly prepared: PreparedTarget; readonly granted: Pick<CopyOptions, 'bandwidthShare'> },
): Promise<CommittedCopy> {
  const { story, hold, migration, deadline } = context;
  const step = story.nextStep();
  const options = { ...migration.options, ...granted, hold: hold.holds };
  try {
    const copy = await hold.during(
      () => context.source().resumable.copyAndSwitchOver({ step, target: migration.target, prepared, options, deadline }),
      // The same step as the copy's: a newer one would fence the copy that it releases.
      () => context.source().undo.releaseHold({ step }),
    );
    story.copied({ rounds: copy.rounds, bytesSent: copy.bytesSent, blackout: copy.blackout });
    story.switchedOver(copy.switchoverAt, copy.switchoverMs);
    return { confirmed: copy.confirmed };
  } catch (error) {
    const failure = readFailure(error);
    if (failure.answer === 'given' && isDefiniteCopyFailure(failure.code)) {
      if (failure.details['memoryLost'] === true) story.lostMemory();
      if (failure.details['isOff'] === true) story.shutItselfDown();
      throw error;
    }
    return accept(context, await settle(context), error);
  }
}

/** Asks the nodes until they know, or the operator decides. A cancel doesn't reach it: it must not stop the question. */
async function settle(context: MigrationContext): Promise<SettledMigration> {
  const { desk, migration } = context;
  let last: KedgeFailure | null = null;
  let settled: SettledMigration = { outcome: 'source-owns', memoryLost: false, reason: 'Decided by the operator' };
  await CancellationScope.nonCancellable(async () => {
    await desk.persist({
      step: 'switchover',
      purpose: `the switchover of guest ${migration.vmid} settled`,
      askAfterMs: migration.timings.askOperatorAfterMs,
      choices: SETTLE_CHOICES,
      lastFailure: () => last,
      doubt: doubtHelp(context, ['source', 'target']),
      work: async () => {
        // A node may be given up while the other one's word is on its way: it counts only if that was known when it was given.
        let known: MigrationRole | null;
        do {
          known = context.dead.role;
          settled = await settleMigration(context, (failure) => {
            last = failure;
          });
        } while (known !== context.dead.role);
      },
    });
    const owner = settled.outcome === 'target-owns' ? 'target' : 'source';
    await withdraw(context, owner);
  });
  return settled;
}

function accept({ story, migration }: MigrationContext, settled: SettledMigration, cause: unknown): CommittedCopy {
  if (settled.memoryLost) story.lostMemory();
  switch (settled.outcome) {
    case 'target-owns':
      story.copied({ blackout: settled.blackout });
      story.warn(`The switchover was settled afterwards: ${readFailure(cause).message}`);
      return { confirmed: false };
    case 'source-owns':
      throw ApplicationFailure.create({
        type: 'rolled-back',
        nonRetryable: true,
        message: `Cannot switch guest ${migration.vmid} over to ${migration.target}: ${settled.reason}`,
        ...(cause instanceof Error ? { cause } : {}),
      });
  }
}

const SETTLE_CHOICES: OperatorQuestion['choices'] = {
  retry: 'Go on asking both nodes; right when they will come back',
  skip: 'Roll back to the source; each node still refuses what its record forbids. Right when the target is known to be off for good',
  abandon: 'End this migration as it stands; nothing is undone, "kedge audit" shows what is left',
};
