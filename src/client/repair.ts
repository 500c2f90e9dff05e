import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { assertNever } from '../domain/assert-never.js';
import type { ClusterRepair, NodeRepairRequest, RepairResult } from '../domain/repair.js';
import { repairWorkflowId, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { clientError, withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import { isRunRunning } from './is-run-running.js';
import type { ClientContext } from './kedge-client.js';
import { releaseSlot } from './release-slot.js';

export type RepairRequest = NodeRepairRequest | { readonly node: null; readonly repair: ClusterRepair };

const DONE: RepairResult = { outcome: 'done', because: 'done' };

/** Has one repair done: on its node by a workflow, or in Temporal itself. @throws KedgeError `node-silent`, `server-unreachable`, or what the node says */
export async function repair(context: ClientContext, request: RepairRequest): Promise<RepairResult> {
  if (request.node === null) return repairCluster(context, request.repair);
  const { node, repair: what } = request;
  return withClientErrors(`repair ${what.do} on node ${node}`, () =>
    context.client.workflow.execute<(input: { request: NodeRepairRequest }) => Promise<RepairResult>>(WORKFLOW_TYPES.repairNode, {
      ...CONTROL_START,
      workflowId: `${repairWorkflowId(node)}-${randomUUID()}`,
      args: [{ request }],
      staticSummary: `Repair on node ${node}: ${what.do}`,
    }),
  );
}

/**
 * All three name what they act on so that nothing else can be meant: a run that has ended never runs again under its run id, a slot is held by a
 * run, and a schedule that is paused by mistake loses nothing that `temporal schedule unpause` does not bring back.
 */
async function repairCluster(context: ClientContext, what: ClusterRepair): Promise<RepairResult> {
  switch (what.do) {
    case 'release-slot':
      if (await isRunRunning(context, what)) return { outcome: 'gone', because: `${what.holder} runs` };
      await releaseSlot(context, what);
      return DONE;
    case 'end-workflow':
      if (!(await isRunRunning(context, { holder: what.workflowId, runId: what.runId }))) return { outcome: 'gone', because: 'it has ended' };
      await endWorkflow(context, what);
      return DONE;
    case 'pause-schedule':
      await withClientErrors(`pause schedule ${what.scheduleId}`, () =>
        context.client.schedule.getHandle(what.scheduleId).pause('Paused by kedge audit --repair: what it starts can only fail'),
      );
      return DONE;
    default:
      return assertNever(what);
  }
}

/** Terminated, not cancelled: its undo would wait for ever for what no node knows. The slot comes second, as at the end of any migration. */
async function endWorkflow(context: ClientContext, { workflowId, runId }: { workflowId: string; runId: string }): Promise<void> {
  try {
    await context.client.workflow.getHandle(workflowId, runId).terminate('Ended by kedge audit --repair: no node knows its guest or its attempt');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw clientError(`end workflow ${workflowId}`, error);
  }
  await releaseSlot(context, { holder: workflowId, runId });
}
