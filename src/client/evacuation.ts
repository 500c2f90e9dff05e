import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { resolveNewEvacuation } from '../domain/drain/resolve-evacuation.js';
import type { EvacuateNodeInput, EvacuationReport } from '../domain/evacuation.js';
import type { NodeName } from '../domain/ids.js';
import { isRecord } from '../domain/is-record.js';
import { KedgeError } from '../domain/kedge-error.js';
import { evacuationWorkflowId, QUERIES, UPDATES, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { askWorkflow } from './ask-workflow.js';
import { clientError, isUnreachable } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import { executeUpdate } from './execute-update.js';
import type { ClientContext } from './kedge-client.js';

/** One drain or undrain, whatever runs it continues in. */
export interface EvacuationRef {
  readonly workflowId: string;
  readonly firstRunId: string;
}

export interface EvacuationView {
  readonly running: boolean;
  /** Null while no control worker answers. */
  readonly report: EvacuationReport | null;
}

/** Starts `evacuateNode` or `restoreNode`: both have the id of the node, so that one excludes the other. @throws KedgeError `bad-input`, `already-draining` */
export async function startEvacuation(context: ClientContext, plan: EvacuationReport['plan'], input: EvacuateNodeInput): Promise<EvacuationRef> {
  const { node, requestedBy } = resolveNewEvacuation(input);
  if (!context.nodes.includes(node)) throw new KedgeError('not-found', `Cannot find node ${node}: the cluster has ${context.nodes.join(', ')}`);
  const workflowId = evacuationWorkflowId(node);
  try {
    const handle = await context.client.workflow.start(plan === 'evacuate' ? WORKFLOW_TYPES.evacuateNode : WORKFLOW_TYPES.restoreNode, {
      ...CONTROL_START,
      workflowId,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [input],
      memo: { requestedBy, plan },
      staticSummary: plan === 'evacuate' ? `Empty ${node}` : `Bring the guests of ${node} home`,
    });
    return { workflowId, firstRunId: handle.firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await alreadyRuns(context, { node, plan });
    throw clientError(`${plan === 'evacuate' ? 'drain' : 'undrain'} node ${node}`, error);
  }
}

async function alreadyRuns({ client }: ClientContext, { node, plan }: { node: NodeName; plan: EvacuationReport['plan'] }): Promise<KedgeError> {
  const workflowId = evacuationWorkflowId(node);
  const { memo, startTime } = await client.workflow.getHandle(workflowId).describe();
  const by: unknown = memo?.['requestedBy'];
  const first = `${memo?.['plan'] === 'restore' ? 'an undrain' : 'a drain'} of it by ${typeof by === 'string' ? by : 'unknown'} runs since ${startTime.toISOString()}`;
  return new KedgeError('already-draining', `Cannot ${plan === 'evacuate' ? 'drain' : 'undrain'} node ${node}: ${first}`, { details: { workflowId } });
}

/**
 * The drain or undrain of a node, running or ended; one that failed is told as its error. With `ref` the one that was started.
 * @throws KedgeError
 */
export async function readEvacuation({ client }: ClientContext, node: NodeName, ref?: EvacuationRef): Promise<EvacuationView | null> {
  const workflowId = evacuationWorkflowId(node);
  try {
    const handle = client.workflow.getHandle(workflowId, undefined, ref === undefined ? {} : { firstExecutionRunId: ref.firstRunId });
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING' && status.name !== 'PAUSED') return { running: false, report: readReport(await handle.result()) };
    return { running: true, report: readReport(await askWorkflow(handle, QUERIES.evacuation)) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    if (isUnreachable(error)) return { running: true, report: null };
    throw clientError(`read the drain of node ${node}`, error);
  }
}

const readReport = (value: unknown): EvacuationReport | null => (isEvacuationReport(value) ? value : null);

/** Is it what a drain tells of itself? */
export function isEvacuationReport(value: unknown): value is EvacuationReport {
  return isRecord(value) && Array.isArray(value['moved']) && Array.isArray(value['stayed']);
}

/** @throws KedgeError `not-found` when none runs */
export async function cancelEvacuation({ client }: ClientContext, node: NodeName): Promise<void> {
  try {
    await executeUpdate(client.workflow.getHandle(evacuationWorkflowId(node)), UPDATES.cancel);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new KedgeError('not-found', `Cannot cancel the drain of node ${node}: none runs`, { cause: error });
    throw clientError(`cancel the drain of node ${node}`, error);
  }
}
