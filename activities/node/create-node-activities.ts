import { Context } from '@temporalio/activity';
import type { NodeBulkActivities, NodeControlActivities, NodeOfflineActivities } from '../interface.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { CopyProgress } from '../../src/domain/migration.js';
import type { NodeInventory } from '../../src/domain/node-facts.js';
import type { LongCall, NodeService } from './node-service.js';
import type { RunningTasks } from './running-tasks.js';

/** Progress reaches the server at most this often (the worker's throttle allows no more); milliseconds. */
const HEARTBEAT_INTERVAL_MS = 1_000;

/** The activities of the queue `node-<name>-ctl`: short calls, and the never-ending presence. */
export function createNodeControlActivities(service: NodeService, tasks: RunningTasks): NodeControlActivities {
  const step = <Input, Result>(call: (input: Input, info: { attempt: number }) => Promise<Result>) => {
    return (input: Input): Promise<Result> => {
      const { attempt, taskToken } = Context.current().info;
      return tasks.during(taskToken, () => beating(() => call(input, { attempt })));
    };
  };
  return {
    presence: () => tasks.during(Context.current().info.taskToken, () => reportPresence(service)),
    inspectSource: step((input) => service.inspectSource(input)),
    inspectTarget: step((input) => service.inspectTarget(input)),
    claimGuest: step((input, info) => service.claimGuest(input, info)),
    unclaimGuest: step((input, info) => service.unclaimGuest(input, info)),
    prepareTarget: step((input, info) => service.prepareTarget(input, info)),
    prepareCopy: step((input, info) => service.prepareCopy(input, info)),
    handOverCopy: step((input, info) => service.handOverCopy(input, info)),
    startMoved: step((input, info) => service.startMoved(input, info)),
    revokeTarget: step((input, info) => service.revokeTarget(input, info)),
    cancelStream: step((input, info) => service.cancelStream(input, info)),
    releaseHold: step((input, info) => service.releaseHold(input, info)),
    settleMigration: step((input, info) => service.settleMigration(input, info)),
    examineDoubt: step((input) => service.examineDoubt(input)),
    takeOverCopy: step((input, info) => service.takeOverCopy(input, info)),
    confirmTarget: step((input, info) => service.confirmTarget(input, info)),
    releaseSource: step((input, info) => service.releaseSource(input, info)),
    manageGuest: step((input) => service.manageGuest(input)),
    auditNode: step(() => service.auditNode()),
  };
}

/** The activities of the queue `node-<name>-bulk`: copies. */
export function createNodeBulkActivities(service: NodeService, tasks: RunningTasks): NodeBulkActivities & NodeOfflineActivities {
  const long = <Input, Result>(work: (input: Input, call: LongCall) => Promise<Result>) => {
    return (input: Input): Promise<Result> => tasks.during(Context.current().info.taskToken, () => withHeartbeat((call) => work(input, call)));
  };
  return {
    copyAndSwitchOver: long((input, call) => service.copyAndSwitchOver(input, call)),
    copyVolumes: long((input, call) => service.copyVolumes(input, call)),
    shutDownGuest: long((input, call) => service.shutDownGuest(input, call)),
    verifyCopy: long((input, call) => service.verifyCopy(input, call)),
  };
}

/** Heartbeats from a timer, so that a copy that stands still is still told of a cancellation. */
async function withHeartbeat<Result>(work: (call: LongCall) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  let latest: CopyProgress | undefined;
  context.heartbeat();
  const timer = setInterval(() => {
    context.heartbeat(latest);
  }, HEARTBEAT_INTERVAL_MS);
  try {
    return await work({
      attempt: context.info.attempt,
      signal: stopSignal(context),
      report: (progress) => {
        latest = progress;
      },
    });
  } finally {
    clearInterval(timer);
  }
}

/**
 * A short call with heartbeats, for when it is not so short: a slow start of QEMU is no lost attempt. None is sent before the first interval is
 * over, so that most calls cost nothing more. A cancel is not listened to: what such a call has begun, it ends.
 */
async function beating<Result>(work: () => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => {
    context.heartbeat();
  }, HEARTBEAT_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * The inventory of the node, for ever: each heartbeat carries the newest. A reading that takes long (a guest whose start holds its monitor, a
 * storage that does not answer) must not make the node look silent: then the one before is sent again, and its instant tells its age.
 */
async function reportPresence(service: NodeService): Promise<never> {
  const context = Context.current();
  const signal = stopSignal(context);
  let latest: NodeInventory | undefined;
  let reading: Promise<void> | null = null;
  for (;;) {
    reading ??= service.inventory().then((inventory) => {
      latest = inventory;
      reading = null;
    });
    await Promise.race([reading, context.sleep(HEARTBEAT_INTERVAL_MS)]);
    context.heartbeat(latest);
    // Rejects with the reason of the signal's abort through the cancellation of the activity.
    await context.sleep(HEARTBEAT_INTERVAL_MS);
    signal.throwIfAborted();
  }
}

/** Only a request to cancel is an abort by the user; all other ends of an attempt leave the work to the next one. */
function stopSignal(context: Context): AbortSignal {
  const stop = new AbortController();
  const tell = (): void => {
    const cancelled = context.cancellationDetails?.cancelRequested === true;
    stop.abort(
      cancelled
        ? new KedgeError('cancelled', 'Cannot go on: the migration was cancelled')
        : new KedgeError('worker-stopping', 'Cannot go on: this attempt has ended, the next one goes on'),
    );
  };
  if (context.cancellationSignal.aborted) tell();
  else context.cancellationSignal.addEventListener('abort', tell, { once: true });
  return stop.signal;
}
