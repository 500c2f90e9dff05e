/** Guests that a drain has shut down, because they don't move live, run again when their node is back. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { NodeName, Vmid } from '../src/domain/ids.js';
import { readFailure } from '../src/domain/read-failure.js';
import { guestCommandWorkflowId, WORKFLOW_TYPES } from '../src/domain/workflow-names.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';
import type { manageGuest } from './manage-guest.js';

/** Starts them where they were shut down, as "kedge guest start" does; fine with one that runs. Answers in words who stays off, null: nobody. */
export async function startAgain(node: NodeName, { vmids, timings }: { vmids: readonly Vmid[]; timings: WorkflowTimings }): Promise<string | null> {
  const problems = await Promise.all(
    vmids.map(async (vmid): Promise<readonly string[]> => {
      try {
        await executeChild<typeof manageGuest>(WORKFLOW_TYPES.manageGuest, {
          workflowId: guestCommandWorkflowId(vmid, 'start'),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          parentClosePolicy: ParentClosePolicy.ABANDON,
          args: [{ node, command: { verb: 'start', vmid }, timings }],
          memo: { node },
          staticSummary: `start guest ${vmid} on ${node}, which was shut down to empty it`,
        });
        return [];
      } catch (error) {
        return error instanceof WorkflowExecutionAlreadyStartedError ? [] : [`guest ${vmid}: ${readFailure(error).message}`];
      }
    }),
  );
  return problems.flat().length === 0 ? null : `Not all guests that were shut down run again: ${problems.flat().join('; ')}`;
}
