import type { NodeRepairRequest, RepairResult } from '../src/domain/repair.js';
import { migrationWorkflowId } from '../src/domain/workflow-names.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onControl, onNode } from './on-node.js';

export interface RepairNodeInput {
  readonly request: NodeRepairRequest;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/**
 * Workflow type `repairNode`: one repair on one node. A guest that is being migrated by now is left to its migration; one whose migration
 * starts after this look is protected by its records, which the node reads under the guest's lock (docs/protocol.md, section 6).
 */
export async function repairNode({ request, timings }: RepairNodeInput): Promise<RepairResult> {
  const { node, vmid } = request;
  if (vmid !== null) {
    const workflowId = migrationWorkflowId(vmid);
    const { ended } = await onControl(withTimings(timings)).findEndedHolders({ workflowIds: [workflowId] });
    if (!ended.includes(workflowId)) return { outcome: 'refused', because: `a migration of guest ${vmid} runs: it is left to that` };
  }
  return onNode(node, withTimings(timings)).settle.repairNode(request);
}
