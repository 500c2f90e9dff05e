import type { NodeName, Vmid } from '../domain/ids.js';
import type { AwayGuest } from '../domain/node-facts.js';
import type { BootRegistration, VoidedGuest } from '../domain/voided-guest.js';
import { nodeWorkflowId, UPDATES, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import { executeUpdate } from './execute-update.js';
import type { ClientContext } from './kedge-client.js';

/** Starts the node's entity if need be and registers this boot; resolves when the entity has confirmed it, with what the node must not run any more. */
export async function registerNode(context: ClientContext, { node, bootId }: { node: NodeName; bootId: string }): Promise<readonly VoidedGuest[]> {
  return withClientErrors(`register node ${node}`, async () => {
    const handle = await context.client.workflow.start(WORKFLOW_TYPES.nodePresence, {
      ...CONTROL_START,
      workflowId: nodeWorkflowId(node),
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ node }],
      staticSummary: `Presence of node ${node}`,
    });
    const { voided } = await executeUpdate<BootRegistration>(handle, UPDATES.registerBoot, { bootId });
    return voided ?? [];
  });
}

/** Notes that a guest was moved away from its node, or that it needs not come back any more. Repeatable. */
export async function changeAway(
  { client }: ClientContext,
  { node, vmid, at, away }: { node: NodeName; vmid: Vmid; at: string; away: boolean },
): Promise<void> {
  await withClientErrors(`note guest ${vmid} as ${away ? 'away from' : 'back at'} node ${node}`, () => {
    const handle = client.workflow.getHandle(nodeWorkflowId(node));
    return away
      ? executeUpdate(handle, UPDATES.addAway, { vmid, at } satisfies AwayGuest)
      : executeUpdate(handle, UPDATES.dropAway, { vmid } satisfies Pick<AwayGuest, 'vmid'>);
  });
}

/** Marks a node as taking new guests or not. @throws KedgeError `not-found` for a node that has never registered */
export async function cordonNode({ client }: ClientContext, { node, cordoned }: { node: NodeName; cordoned: boolean }): Promise<void> {
  await withClientErrors(`${cordoned ? 'cordon' : 'uncordon'} node ${node}`, () =>
    executeUpdate(client.workflow.getHandle(nodeWorkflowId(node)), UPDATES.cordon, { cordoned }),
  );
}

/**
 * Decides durably that a guest's record on a node is void, whatever boot comes after `bootId`.
 * @throws KedgeError `node-alive` when the node has registered another boot since, `not-found` for a node that has never registered
 */
export async function voidGuest({ client }: ClientContext, { node, bootId, guest }: { node: NodeName; bootId: string; guest: VoidedGuest }): Promise<void> {
  await withClientErrors(`give node ${node} up for guest ${guest.vmid}`, () =>
    executeUpdate(client.workflow.getHandle(nodeWorkflowId(node)), UPDATES.voidGuest, { bootId, guest }),
  );
}

/** The node has heard of it, or the guest stays with it after all. Fine when there is nothing to drop. */
export async function dropVoided(
  { client }: ClientContext,
  { node, guest }: { node: NodeName; guest: Pick<VoidedGuest, 'vmid' | 'migrationId'> },
): Promise<void> {
  const { vmid, migrationId } = guest;
  await withClientErrors(`drop the void guest ${vmid} of node ${node}`, () =>
    executeUpdate(client.workflow.getHandle(nodeWorkflowId(node)), UPDATES.dropVoided, { vmid, migrationId }),
  );
}
