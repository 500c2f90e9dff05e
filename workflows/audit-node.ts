import type { NodeAudit } from '../activities/interface.js';
import type { NodeName } from '../src/domain/ids.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onNode } from './on-node.js';

export interface AuditNodeInput {
  readonly node: NodeName;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** Workflow type `auditNode`: what one node has of everything that could be left behind. Changes nothing. */
export async function auditNode({ node, timings }: AuditNodeInput): Promise<NodeAudit> {
  return onNode(node, withTimings(timings)).ping.auditNode({ node });
}
