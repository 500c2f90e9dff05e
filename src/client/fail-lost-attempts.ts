import { ActivityNotFoundError, WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import type { NodeName } from '../domain/ids.js';
import { isWorkerOfNode } from '../domain/worker-identity.js';
import { nodeWorkflowId, SEARCH_ATTRIBUTES, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';
import { readPendingActivities } from './pending-activities.js';
import { workerLost } from './worker-lost.js';

/** Reads so many at a time: each is a short call. */
const AT_A_TIME = 8;

/**
 * Ends all attempts that the server believes to be running on `node`: a restarted node worker calls it before it takes up its first task. It
 * finds those whose worker died between the server's hand-out and the note of the task token, which `failTaskTokens` can't know.
 * Answers how many there were.
 *
 * Why this is safe. (1) The caller holds `node.lock`, so the process that took the attempt is dead: it does nothing any more, and what it had
 * sent to a QEMU is dealt with before QEMU greets the next client. (2) The caller has taken up nothing yet, and nobody else polls the queues of
 * this node: no living attempt can be hit by this. (3) Failed is only the attempt: its activity is repeated as after a timeout, under a greater
 * attempt number, whose claim in the journal fences the older one should (1) ever be wrong. Profile `once` is not repeated, and its caller
 * learns at once what it would have learned later: the outcome is unknown.
 *
 * Not found are attempts of an execution that the server's index does not show yet (it lags by up to a second or two), and those that a poll
 * of the dead process gets afterwards, after a power cut. They end by their heartbeat timeout.
 */
export async function failLostAttempts({ client }: ClientContext, node: NodeName): Promise<number> {
  return withClientErrors(`end the attempts that died with the worker of ${node}`, async () => {
    const ids = [nodeWorkflowId(node)];
    for await (const { workflowId } of client.workflow.list({ query: queryOf(node) })) ids.push(workflowId);
    let failed = 0;
    for (let at = 0; at < ids.length; at += AT_A_TIME) {
      const counts = await Promise.all(ids.slice(at, at + AT_A_TIME).map((id) => failAttemptsOf(id)));
      failed += counts.reduce((sum, count) => sum + count, 0);
    }
    return failed;
  });

  async function failAttemptsOf(workflowId: string): Promise<number> {
    const description = await describeIfKept(workflowId);
    if (description === null) return 0;
    const lost = readPendingActivities(description).filter(({ state, worker }) => isTakenUp(state) && isWorkerOfNode(worker, node));
    let failed = 0;
    for (const { id: activityId } of lost) {
      try {
        await client.activity.fail({ workflowId, runId: description.runId, activityId }, workerLost());
        failed += 1;
      } catch (error) {
        if (!(error instanceof ActivityNotFoundError)) throw error;
      }
    }
    return failed;
  }

  async function describeIfKept(workflowId: string): Promise<WorkflowExecutionDescription | null> {
    try {
      return await client.workflow.getHandle(workflowId).describe();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }
}

/** Executions that may call this node. A migration whose source is looked up has no attribute for it, like all that are no migrations. */
function queryOf(node: NodeName): string {
  const { source, target } = SEARCH_ATTRIBUTES;
  const { migrateGuest, manageGuest, auditNode } = WORKFLOW_TYPES;
  const types = [migrateGuest, manageGuest, auditNode].map((type) => `'${type}'`).join(', ');
  return `ExecutionStatus = 'Running' AND WorkflowType IN (${types}) AND (${source} = '${node}' OR ${target} = '${node}' OR ${source} IS NULL)`;
}

function isTakenUp(state: string): boolean {
  return state === 'started' || state === 'cancel-requested';
}
