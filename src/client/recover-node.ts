import type { RunningRecovery } from '../domain/audit-types.js';
import type { NodeName } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import type { RecoveryReport, RecoverNodeInput } from '../domain/recovery.js';
import { QUERIES, recoveryWorkflowId, UPDATES, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import { readNodeStatus } from './node-status.js';
import { CONTROL_START } from './control-start.js';
import { isRunning } from './is-running.js';
import type { ClientContext } from './kedge-client.js';

/** Has a node that is not heard looked into; one recovery of it runs at a time, which is joined. */
export async function startRecovery({ client, nodes }: ClientContext, input: RecoverNodeInput): Promise<void> {
  const { node } = input;
  if (!nodes.includes(node)) throw new KedgeError('not-found', `Cannot find node ${node}: the cluster has ${nodes.join(', ')}`);
  await withClientErrors(`start the recovery of node ${node}`, () =>
    client.workflow.start<(input: RecoverNodeInput) => Promise<RecoveryReport>>(WORKFLOW_TYPES.recoverNode, {
      ...CONTROL_START,
      workflowId: recoveryWorkflowId(node),
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [input],
      staticSummary: `Recovery of the guests of node ${node}`,
    }),
  );
}

/** States that a node is off, by an operator who has made sure of it. @throws KedgeError `node-alive` while anything says otherwise */
export async function confirmDead(context: ClientContext, { node, statedBy }: { node: NodeName; statedBy: string }): Promise<void> {
  // A recovery of a node that is heard ends at once, and could not answer.
  const { silentSince } = await readNodeStatus(context, node);
  if (silentSince === null) throw new KedgeError('node-alive', `Cannot give ${node} up: its heartbeats are heard, or it has never registered`);
  await startRecovery(context, { node });
  await withClientErrors(`give node ${node} up`, () =>
    context.client.workflow.getHandle(recoveryWorkflowId(node)).executeUpdate<unknown, [{ statedBy: string }]>(UPDATES.confirmDead, { args: [{ statedBy }] }),
  );
}

/** How far the recovery of a node is, or how the last one ended. @throws KedgeError `not-found` when there was none */
export async function readRecovery({ client }: ClientContext, node: NodeName): Promise<RecoveryReport> {
  return withClientErrors(`read the recovery of node ${node}`, () =>
    client.workflow.getHandle(recoveryWorkflowId(node)).query<RecoveryReport>(QUERIES.recovery),
  );
}

/** The recoveries that run, with the guests that wait for a new owner; one whose workflow does not answer may have any. */
export async function readRecoveries(context: ClientContext): Promise<readonly RunningRecovery[]> {
  const running = await Promise.all(
    context.nodes.map(async (node): Promise<RunningRecovery | null> => {
      if (!(await isRunning(context, recoveryWorkflowId(node)))) return null;
      const report = await readRecovery(context, node).catch(() => null);
      return { node, owed: report === null ? null : report.owed.map(({ vmid }) => vmid) };
    }),
  );
  return running.filter((recovery) => recovery !== null);
}
