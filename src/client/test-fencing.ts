import { randomUUID } from 'node:crypto';
import type { FencingReport } from '../domain/fence-test.js';
import type { NodeName } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import { fenceTestWorkflowId, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import type { ClientContext } from './kedge-client.js';

/** Many devices behind one power strip are asked in turn, each for up to its own limit. */
const LONGEST_MS = 900_000;

/** Has a control worker ask the fencing devices for their status. @throws KedgeError `not-found`, `bad-config` */
export async function testFencing({ client, nodes }: ClientContext, { node }: { readonly node: NodeName | null }): Promise<FencingReport> {
  if (node !== null && !nodes.includes(node)) throw new KedgeError('not-found', `Cannot find node ${node}: the cluster has ${nodes.join(', ')}`);
  return withClientErrors('test the fencing devices', () =>
    client.workflow.execute<(input: { node: NodeName | null }) => Promise<FencingReport>>(WORKFLOW_TYPES.testFencing, {
      ...CONTROL_START,
      workflowId: fenceTestWorkflowId(randomUUID()),
      workflowExecutionTimeout: LONGEST_MS,
      args: [{ node }],
    }),
  );
}
