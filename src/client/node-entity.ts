import type { NodeName } from '../domain/ids.js';
import { nodeWorkflowId, UPDATES, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import type { ClientContext } from './kedge-client.js';

/** Starts the node's entity if need be and registers this boot; resolves when the entity has confirmed it. */
export async function registerNode(context: ClientContext, { node, bootId }: { node: NodeName; bootId: string }): Promise<void> {
  await withClientErrors(`register node ${node}`, async () => {
    const handle = await context.client.workflow.start(WORKFLOW_TYPES.nodePresence, {
      ...CONTROL_START,
      workflowId: nodeWorkflowId(node),
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ node }],
      staticSummary: `Presence of node ${node}`,
    });
    await handle.executeUpdate<unknown, [{ bootId: string }]>(UPDATES.registerBoot, { args: [{ bootId }] });
  });
}

/** Marks a node as taking new guests or not. @throws KedgeError `not-found` for a node that has never registered */
export async function cordonNode({ client }: ClientContext, { node, cordoned }: { node: NodeName; cordoned: boolean }): Promise<void> {
  await withClientErrors(`${cordoned ? 'cordon' : 'uncordon'} node ${node}`, () =>
    client.workflow.getHandle(nodeWorkflowId(node)).executeUpdate<unknown, [{ cordoned: boolean }]>(UPDATES.cordon, { args: [{ cordoned }] }),
  );
}
