import { condition, startChild } from '@temporalio/workflow';
import type { FenceResult } from '../activities/interface-control.js';
import type { NodeName } from '../src/domain/ids.js';
import { readFailure } from '../src/domain/read-failure.js';
import { whyNotDead } from '../src/domain/suspect-node.js';
import { fenceWorkflowId, WORKFLOW_TYPES } from '../src/domain/workflow-names.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';
import type { fenceLostNode } from './fence-lost-node.js';
import { lookAtSuspect } from './look-at-suspect.js';
import type { ControlCalls } from './on-node.js';
import { looksAfterFencing } from './patches.js';

export interface FenceOrder {
  readonly node: NodeName;
  /** How many nodes may be fenced at the same moment in this cluster, by whomever. */
  readonly places: number;
  readonly timings?: Partial<WorkflowTimings> | undefined;
  /** Once it is true, nobody waits for the device any more: it may hang for as long as its time limit lasts. */
  readonly isMoot?: () => boolean;
}

/** `isBusy`: all places are taken, it may be tried again. */
export type PlacedFenceResult = FenceResult & { readonly isBusy?: true };

/** Has the power of a node cut from one of the few places from where that is done: its workflow id is the place. Who finds none is told so. */
export async function fenceFromPlace({ node, places, timings, isMoot = () => false }: FenceOrder): Promise<PlacedFenceResult> {
  for (let place = 0; place < places; place += 1) {
    try {
      const child = await startChild<typeof fenceLostNode>(WORKFLOW_TYPES.fenceLostNode, {
        workflowId: fenceWorkflowId(place),
        workflowTaskTimeout: '3 seconds',
        args: [{ node, timings }],
      });
      const result = child.result();
      const moot = condition(isMoot).then((): FenceResult => ({ fenced: false, reason: 'nobody waits for its device any more' }));
      return await Promise.race([result, moot]);
    } catch (error) {
      if (!isTaken(error)) return { fenced: false, reason: readFailure(error).message };
    }
  }
  return { fenced: false, isBusy: true, reason: 'another node is being fenced, and one after the other it shall be' };
}

/**
 * A device that says off of a node which answers on any path is that of another machine, or lies. Heartbeats the activity has looked for; a node that
 * is cut off from the control plane alone has none. For a recovery: in a migration the node that is left says whether it hears the other one.
 */
export async function believed(
  result: FenceResult,
  { node, ...means }: { readonly node: NodeName; readonly timings: WorkflowTimings; readonly control: ControlCalls },
): Promise<FenceResult> {
  if (!result.fenced || !looksAfterFencing()) return result;
  const { evidence } = await lookAtSuspect(node, means);
  const why = whyNotDead(evidence);
  return why === null
    ? result
    : { fenced: false, reason: `${result.agent} says that ${node} is off, and yet ${why}: the device may be that of another machine` };
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError';
}
