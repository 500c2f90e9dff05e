import { Context } from '@temporalio/activity';
import type { NodeBulkActivities, NodeControlActivities, NodeOfflineActivities } from '../interface.js';
import type { CrashPoint } from '../../src/domain/crash-points.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { CopyProgress } from '../../src/domain/migration.js';
import type { NodeInventory } from '../../src/domain/node-facts.js';
import { crashPoint } from '../../src/drivers/host/crash-point.js';
import { beating, HEARTBEAT_INTERVAL_MS, presenceIntervalMs } from '../beating.js';
import type { LongCall, NodeService } from './node-service.js';
import type { RunningTasks } from './running-tasks.js';

/** The activities of the queue `node-<name>-ctl`: short calls, and what waits without doing anything: the never-ending presence, and watches over held guests. */
export function createNodeControlActivities(service: NodeService, tasks: RunningTasks): NodeControlActivities {
  const step = <Input, Result>(point: CrashPoint, call: (input: Input, info: { attempt: number }) => Promise<Result>) => {
    return (input: Input): Promise<Result> => {
      const { attempt, taskToken } = Context.current().info;
      return tasks.during(taskToken, () => beating(() => crashPoint(point, () => call(input, { attempt }))));
    };
  };
  const long = longCalls(tasks);
  return {
    presence: () => tasks.during(Context.current().info.taskToken, () => reportPresence(service)),
    inspectSource: step('source.inspect-activity', (input) => service.inspectSource(input)),
    inspectTarget: step('target.inspect-activity', (input) => service.inspectTarget(input)),
    claimGuest: step('source.claim-activity', (input, info) => service.claimGuest(input, info)),
    unclaimGuest: step('source.unclaim-activity', (input, info) => service.unclaimGuest(input, info)),
    prepareTarget: step('target.prepare-activity', (input, info) => service.prepareTarget(input, info)),
    prepareCopy: step('target.prepare-copy-activity', (input, info) => service.prepareCopy(input, info)),
    handOverCopy: step('source.hand-over-activity', (input, info) => service.handOverCopy(input, info)),
    startMoved: step('target.start-activity', (input, info) => service.startMoved(input, info)),
    revokeTarget: step('target.revoke-activity', (input, info) => service.revokeTarget(input, info)),
    cancelStream: step('source.cancel-stream-activity', (input, info) => service.cancelStream(input, info)),
    watchHeldGuest: long('source.watch-hold-activity', (input, call) => service.watchHeldGuest(input, call)),
    releaseHold: step('source.release-hold-activity', (input, info) => service.releaseHold(input, info)),
    settleMigration: step('node.settle-activity', (input, info) => service.settleMigration(input, info)),
    examineDoubt: step('node.examine-activity', (input) => service.examineDoubt(input)),
    takeOverCopy: step('target.take-over-activity', (input, info) => service.takeOverCopy(input, info)),
    confirmTarget: step('target.confirm-activity', (input, info) => service.confirmTarget(input, info)),
    releaseSource: step('source.release-activity', (input, info) => service.releaseSource(input, info)),
    manageGuest: step('node.manage-activity', (input) => service.manageGuest(input)),
    probeNode: step('node.probe-node-activity', (input) => service.probeNode(input)),
    listLostGuests: step('node.list-lost-activity', (input) => service.listLostGuests(input)),
    takeOverLost: step('node.take-over-lost-activity', (input) => service.takeOverLost(input)),
    auditNode: step('node.audit-activity', () => service.auditNode()),
    repairNode: step('node.repair-activity', (input) => service.repairNode(input)),
  };
}

/** The activities of the queue `node-<name>-bulk`: copies. */
export function createNodeBulkActivities(service: NodeService, tasks: RunningTasks): NodeBulkActivities & NodeOfflineActivities {
  const long = longCalls(tasks);
  return {
    copyAndSwitchOver: long('source.switch-over-activity', (input, call) => service.copyAndSwitchOver(input, call)),
    copyVolumes: long('source.copy-activity', (input, call) => service.copyVolumes(input, call)),
    shutDownGuest: long('source.shut-down-activity', (input, call) => service.shutDownGuest(input, call)),
    verifyCopy: long('source.verify-activity', (input, call) => service.verifyCopy(input, call)),
  };
}

function longCalls(tasks: RunningTasks) {
  return <Input, Result>(point: CrashPoint, work: (input: Input, call: LongCall) => Promise<Result>) => {
    return (input: Input): Promise<Result> =>
      tasks.during(Context.current().info.taskToken, () => withHeartbeat((call) => crashPoint(point, () => work(input, call))));
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
 * The inventory of the node, for ever: each heartbeat carries the newest. A reading that takes long (a guest whose start holds its monitor, a
 * storage that does not answer) must not make the node look silent: then the one before is sent again, and its instant tells its age.
 */
async function reportPresence(service: NodeService): Promise<never> {
  const context = Context.current();
  const signal = stopSignal(context);
  service.presenceBegins();
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
    await context.sleep(presenceIntervalMs(service.clusterSize));
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
