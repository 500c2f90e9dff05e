import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import type { NodeActivities } from '../../activities/interface.js';
import { castErrors } from '../../activities/cast-errors.js';
import type { NodeName } from '../../src/domain/ids.js';
import { nodeBulkQueue, nodeControlQueue } from '../../src/domain/task-queues.js';
import { nodeWorkerIdentity } from '../../src/domain/worker-identity.js';
import type { WorkerConnection } from './connect-worker.js';
import { runWorkers } from './run-workers.js';

export interface NodeWorkersOptions {
  readonly node: NodeName;
  readonly activities: NodeActivities;
  /** Copies at a time. */
  readonly bulkSlots: number;
  /** Polls that each of the two queues keeps open; absent: as many as the SDK opens by itself, up to 10. */
  readonly polls?: number;
  /** Ends the workers in order; SIGTERM does too. */
  readonly signal?: AbortSignal;
}

/** Short calls at a time; one slot is always taken by `presence`, and one by each guest that is held before its shutdown. */
const CONTROL_SLOTS = 64;

/** Runs the two activity-only workers of a node, on its queues for short calls and for copies, until they are ended. */
export async function runNodeTemporalWorkers(connected: WorkerConnection, options: NodeWorkersOptions): Promise<void> {
  const { node, activities, bulkSlots, polls, signal } = options;
  const identity = nodeWorkerIdentity(node, randomUUID());
  const [control, bulk] = await Promise.all([
    createWorker(connected, { queue: nodeControlQueue(node), activities, slots: CONTROL_SLOTS, polls, identity }),
    createWorker(connected, { queue: nodeBulkQueue(node), activities, slots: bulkSlots, polls, identity }),
  ]);
  await runWorkers([control, bulk], signal);
}

function createWorker(
  { connection, namespace }: WorkerConnection,
  { queue, activities, slots, polls, identity }: { queue: string; activities: object; slots: number; polls: number | undefined; identity: string },
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: queue,
    identity,
    activities,
    maxConcurrentActivityTaskExecutions: slots,
    ...(polls === undefined ? {} : { maxConcurrentActivityTaskPolls: Math.min(polls, slots) }),
    // Progress and a cancel are at most a second old; the heartbeat timeout alone would make it eight.
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
    shutdownGraceTime: '2 seconds',
    interceptors: { activity: [castErrors] },
  });
}
