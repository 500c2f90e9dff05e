/**
 * Moves one guest to another node, or leaves everything as it was.
 *
 * Its end, as an operator and a program see it:
 * - completed with the story: the guest runs on the target (outcome `migrated`, or `guest-lost-memory` when it had to start from disk);
 * - failed with type `bad-input` or `migration-refused`: nothing was touched;
 * - failed with type `cancelled`, after the update `cancel` and after Temporal's own cancel alike: the guest is as before;
 * - failed with another type (`rolled-back`, `not-converging`, `deadline-exceeded` …): the guest is as before, the cause tells why;
 * - failed with type `needs-operator`: abandoned by the operator, "kedge audit" shows what is left.
 * Every failure after the input was read carries the story in `details[0].story`.
 */
import { allHandlersFinished, ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { MigrateGuestInput, MigrationStep, MigrationStory } from '../src/domain/migration.js';
import { resolveMigrationOptions, type ResolvedMigration } from '../src/domain/resolve-migration-options.js';
import { CancelSwitch } from './cancel-switch.js';
import { DeadNode } from './dead-node.js';
import { failMigration } from './fail-migration.js';
import { HoldSwitch } from './hold-switch.js';
import type { MigrationContext } from './migration-context.js';
import { handleMigrationMessages } from './migration-messages.js';
import { liveSteps } from './live-steps.js';
import { offlineSteps } from './offline-steps.js';
import { onControl, onControlQueue, onFencing, onNode } from './on-node.js';
import { operatorTask } from './operator-task.js';
import { OperatorDesk } from './operator-desk.js';
import { hasFewerEvents } from './patches.js';
import { Patience } from './patience.js';
import { runReading, runSaga, type SagaHost } from './saga.js';
import { postByControl, postBySignal, SlotLease } from './slot-lease.js';
import { StoryKeeper } from './story-keeper.js';
import { validateMigration } from './validate-migration.js';
import { workflowInstant } from './workflow-time.js';

/** Workflow type `migrateGuest`. Its id is `migration-<vmid>`: the mutex of the guest. */
export async function migrateGuest(input: MigrateGuestInput): Promise<MigrationStory> {
  const migration = readInput(input);
  const fewerEvents = hasFewerEvents();
  const context = setUp(migration, new Patience({ sharesTimer: fewerEvents }));
  const lease = new SlotLease(fewerEvents ? postByControl(context.control) : postBySignal());
  const progress = handleMigrationMessages(context);
  try {
    const host = sagaHost(context, () => progress.settle('committed'));
    const guest = await runReading('validate', () => validateMigration(context), host);
    await runSaga(guest.movement === 'live' ? liveSteps(context, lease, guest) : offlineSteps(context, lease, guest), host);
    context.story.end('migrated');
    return context.story.tell(null);
  } catch (error) {
    progress.settle('unwound');
    throw failMigration(context, error);
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

function readInput(input: MigrateGuestInput): ResolvedMigration {
  try {
    return resolveMigrationOptions(input);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error.details] });
  }
}

function setUp(migration: ResolvedMigration, patience: Patience): MigrationContext {
  const { timings, target, options } = migration;
  const story = new StoryKeeper(migration);
  const cancel = new CancelSwitch();
  if (options.timeoutMs > 0) cancel.startDeadline(options.timeoutMs);
  return {
    migration,
    story,
    cancel,
    desk: new OperatorDesk(patience),
    hold: new HoldSwitch(options),
    patience,
    dead: new DeadNode(),
    fencing: onFencing(timings),
    control: onControl(timings),
    controlInDoubt: onControlQueue(timings),
    source: () => onNode(story.source, timings),
    target: () => onNode(target, timings),
    deadline: options.timeoutMs > 0 ? workflowInstant(options.timeoutMs) : null,
  };
}

function sagaHost(context: MigrationContext, onCommitted: () => void): SagaHost<MigrationStep> {
  const { cancel, desk, story } = context;
  return {
    cancellable: (work) => cancel.run(work),
    shielded: (work) => CancellationScope.nonCancellable(work),
    persist: (task) => desk.persist(operatorTask(context, task)),
    report: (step, event, error) => {
      // A hold must not run against the clock: from here on the copy itself keeps the deadline.
      if (step === 'pre-copy' && event === 'begun' && context.hold.holds) cancel.stopDeadline();
      if (event === 'undoing') cancel.stopDeadline();
      if (event === 'failed') cancel.noteFailure();
      story.record(step, event, error);
    },
    committed: () => {
      cancel.stopDeadline();
      if (cancel.reason !== null) story.warn('A cancel came too late: the guest was handed over already');
      onCommitted();
    },
  };
}
