import { proxyActivities, proxyLocalActivities, type ActivityInterfaceFor, type LocalActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities, HookActivities, WorkActivities } from '../activities/interface-control.js';
import type { NodeBulkActivities, NodeControlActivities, NodeOfflineActivities } from '../activities/interface.js';
import type { NodeName } from '../src/domain/ids.js';
import { CONTROL_QUEUE, nodeBulkQueue, nodeControlQueue } from '../src/domain/task-queues.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';
import { activityProfiles } from './activity-options.js';
import { queuesControl } from './patches.js';

/** The activities of one node, by the profile that they run under. */
export interface NodeCalls {
  readonly ping: ActivityInterfaceFor<NodeControlActivities>;
  readonly settle: ActivityInterfaceFor<NodeControlActivities>;
  readonly idempotent: ActivityInterfaceFor<NodeControlActivities>;
  readonly once: ActivityInterfaceFor<NodeControlActivities>;
  readonly undo: ActivityInterfaceFor<NodeControlActivities>;
  readonly watch: ActivityInterfaceFor<NodeControlActivities>;
  readonly presence: ActivityInterfaceFor<NodeControlActivities>;
  readonly resumable: ActivityInterfaceFor<NodeBulkActivities & NodeOfflineActivities>;
  readonly urgent: ActivityInterfaceFor<NodeOfflineActivities>;
}

/** Reaches the activities of `node` through its own queues. */
export function onNode(node: NodeName, timings: WorkflowTimings): NodeCalls {
  const profiles = activityProfiles(timings);
  const taskQueue = nodeControlQueue(node);
  return {
    ping: proxyActivities<NodeControlActivities>({ ...profiles.ping, taskQueue }),
    settle: proxyActivities<NodeControlActivities>({ ...profiles.settle, taskQueue }),
    idempotent: proxyActivities<NodeControlActivities>({ ...profiles.idempotent, taskQueue }),
    once: proxyActivities<NodeControlActivities>({ ...profiles.once, taskQueue }),
    undo: proxyActivities<NodeControlActivities>({ ...profiles.undo, taskQueue }),
    watch: proxyActivities<NodeControlActivities>({ ...profiles.watch, taskQueue }),
    presence: proxyActivities<NodeControlActivities>({ ...profiles.presence, taskQueue }),
    urgent: proxyActivities<NodeOfflineActivities>({ ...profiles.urgent, taskQueue: nodeBulkQueue(node) }),
    resumable: proxyActivities<NodeBulkActivities & NodeOfflineActivities>({ ...profiles.resumable, taskQueue: nodeBulkQueue(node) }),
  };
}

/** What the control worker does, by whichever way it is asked. */
export type ControlCalls = ActivityInterfaceFor<ControlActivities> | LocalActivityInterfaceFor<ControlActivities>;

/** The activities of the control worker, run in place: for workflows that do one thing after the other, in a short history. */
export function onControl(timings: WorkflowTimings): LocalActivityInterfaceFor<ControlActivities> {
  return proxyLocalActivities<ControlActivities>(activityProfiles(timings).survey);
}

/** The same through its queue: for workflows in which several things end at the same time. To be called first in the first task of an execution. */
export function onControlQueue(timings: WorkflowTimings): ControlCalls {
  if (!queuesControl()) return onControl(timings);
  return proxyActivities<ControlActivities>({ ...activityProfiles(timings).control, taskQueue: CONTROL_QUEUE });
}

/** The one call to the control worker that takes long, as an activity of its queue. */
export function onFencing(timings: WorkflowTimings): ActivityInterfaceFor<Pick<ControlActivities, 'fenceNode'>> {
  return proxyActivities<Pick<ControlActivities, 'fenceNode'>>({ ...activityProfiles(timings).fence, taskQueue: CONTROL_QUEUE });
}

/** Asking fencing devices, which may take as long as fencing. */
export function onFenceTest(timings: WorkflowTimings): ActivityInterfaceFor<Pick<ControlActivities, 'testFencing'>> {
  return proxyActivities<Pick<ControlActivities, 'testFencing'>>({ ...activityProfiles(timings).fence, taskQueue: CONTROL_QUEUE });
}

/** The calls that a window makes to one of its nodes through the control worker, as activities of its queue. */
export function onWork(timings: WorkflowTimings, limit: { timeoutMs: number; repeatable: boolean }): ActivityInterfaceFor<WorkActivities> {
  return proxyActivities<WorkActivities>({ ...activityProfiles(timings).work(limit), taskQueue: CONTROL_QUEUE });
}

/** Telling hooks, as an activity of the control workers' queue. */
export function onHooks(timings: WorkflowTimings, limit: { once: boolean }): ActivityInterfaceFor<HookActivities> {
  return proxyActivities<HookActivities>({ ...activityProfiles(timings).tell(limit), taskQueue: CONTROL_QUEUE });
}
