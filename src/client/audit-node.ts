import { randomUUID } from 'node:crypto';
import type { NodeAudit } from '../../activities/interface.js';
import type { NodeName } from '../domain/ids.js';
import { auditWorkflowId, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import type { ClientContext } from './kedge-client.js';

/** What one node has of everything that could be left behind. @throws KedgeError `node-silent` */
export async function auditNode({ client }: ClientContext, node: NodeName): Promise<NodeAudit> {
  return withClientErrors(`audit node ${node}`, () =>
    client.workflow.execute<(input: { node: NodeName }) => Promise<NodeAudit>>(WORKFLOW_TYPES.auditNode, {
      ...CONTROL_START,
      workflowId: `${auditWorkflowId(node)}-${randomUUID()}`,
      args: [{ node }],
      staticSummary: `Audit of node ${node}`,
    }),
  );
}
