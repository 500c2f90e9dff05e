import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { RunFact } from '../../domain/events/facts.js';
import type { Vmid } from '../../domain/ids.js';
import { SEARCH_ATTRIBUTES, WORKFLOW_TYPES } from '../../domain/workflow-names.js';
import { withClientErrors } from '../client-error.js';
import type { ClientContext } from '../kedge-client.js';

/** Those that events are made of. */
const TOLD: readonly string[] = [
  WORKFLOW_TYPES.migrateGuest,
  WORKFLOW_TYPES.evacuateNode,
  WORKFLOW_TYPES.restoreNode,
  WORKFLOW_TYPES.balanceCluster,
  WORKFLOW_TYPES.maintainNodes,
  WORKFLOW_TYPES.maintainNode,
  WORKFLOW_TYPES.nodePresence,
  WORKFLOW_TYPES.recoverNode,
  WORKFLOW_TYPES.manageGuest,
  WORKFLOW_TYPES.deliverEvent,
];

/** An execution as the server's index has it: no call besides the listing was needed. */
export interface ListedRun {
  readonly run: RunFact;
  readonly type: string;
  readonly memo: Readonly<Record<string, unknown>>;
  readonly attributes: WorkflowExecutionInfo['typedSearchAttributes'];
}

/** All that run, and those that have ended since then. With a guest no migrations of others. */
export async function listRuns(
  { client }: ClientContext,
  { endedSince, vmid }: { endedSince: string; vmid?: Vmid | undefined },
): Promise<readonly ListedRun[]> {
  const query = [
    `WorkflowType IN (${TOLD.map((type) => `'${type}'`).join(', ')})`,
    `(ExecutionStatus = 'Running' OR CloseTime >= '${endedSince}')`,
    // Of a hook that was told nothing is told.
    `(WorkflowType != '${WORKFLOW_TYPES.deliverEvent}' OR ExecutionStatus != 'Completed')`,
    ...(vmid === undefined ? [] : [`(${SEARCH_ATTRIBUTES.guest} = '${vmid}' OR WorkflowType != '${WORKFLOW_TYPES.migrateGuest}')`]),
  ].join(' AND ');
  return withClientErrors('list what has happened', async () => {
    const runs: ListedRun[] = [];
    for await (const { type, workflowId, runId, startTime, closeTime, status, memo, typedSearchAttributes } of client.workflow.list({ query })) {
      const run = { workflowId, runId, startedAt: startTime.toISOString(), endedAt: closeTime?.toISOString() ?? null, state: STATES[status.name] ?? 'failed' };
      runs.push({ run, type, memo: memo ?? {}, attributes: typedSearchAttributes });
    }
    return runs;
  });
}

/** Whatever is not here has ended by force. */
const STATES: Readonly<Record<string, RunFact['state']>> = { RUNNING: 'running', PAUSED: 'running', COMPLETED: 'completed', CONTINUED_AS_NEW: 'continued' };
