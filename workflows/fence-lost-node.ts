import type { FenceResult } from '../activities/interface-control.js';
import type { NodeName } from '../src/domain/ids.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onFencing } from './on-node.js';

export interface FenceLostNodeInput {
  readonly node: NodeName;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings> | undefined;
}

/** Workflow type `fenceLostNode`, id `fence-<place>`: cuts the power of one node. There are as many places as nodes may be fenced at once. */
export async function fenceLostNode({ node, timings }: FenceLostNodeInput): Promise<FenceResult> {
  return onFencing(withTimings(timings)).fenceNode({ node });
}
