import { WorkflowNotFoundError } from '@temporalio/client';
import type { NodeName } from '../domain/ids.js';
import { isInventory } from '../domain/is-inventory.js';
import { isRecord } from '../domain/is-record.js';
import { KedgeError } from '../domain/kedge-error.js';
import type { NodeEntityStatus, NodeStatus } from '../domain/node-facts.js';
import { nodeWorkflowId } from '../domain/workflow-names.js';
import { DEFAULT_TIMINGS } from '../domain/workflow-timings.js';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';
import { readPendingActivities } from './pending-activities.js';

/** One node: what its entity keeps and its newest heartbeat, in one call that needs no worker. @throws KedgeError `not-found` */
export async function readNodeStatus(context: ClientContext, node: NodeName): Promise<NodeStatus> {
  if (!context.nodes.includes(node)) throw new KedgeError('not-found', `Cannot find node ${node}: the cluster has ${context.nodes.join(', ')}`);
  return (
    (await findNodeStatus(context, node)) ?? {
      node,
      bootId: null,
      registeredAt: null,
      cordoned: false,
      silentSince: null,
      inventory: null,
      inventoryAgeMs: null,
    }
  );
}

/** Like `readNodeStatus`, but null for a node that has never registered. */
export async function findNodeStatus({ client }: ClientContext, node: NodeName): Promise<NodeStatus | null> {
  try {
    const description = await client.workflow.getHandle(nodeWorkflowId(node)).describe();
    const presence = readPendingActivities(description).find((activity) => activity.name === 'presence');
    const kept = description.memo?.['status'];
    const entity: NodeEntityStatus = isEntityStatus(kept) ? kept : { node, bootId: null, registeredAt: null, cordoned: false, silentSince: null };
    const isHeard = presence?.state === 'started' && (presence.heartbeatAgeMs ?? 0) < DEFAULT_TIMINGS.heartbeatTimeoutMs;
    return {
      ...entity,
      // The entity learns of a return only when the node registers; a fresh heartbeat says it too.
      silentSince: isHeard ? null : entity.silentSince,
      inventory: isInventory(presence?.heartbeat) ? presence.heartbeat : null,
      inventoryAgeMs: presence?.heartbeatAgeMs ?? null,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw clientError(`read the state of node ${node}`, error);
  }
}

/** Is it what the entity of a node keeps? */
export function isEntityStatus(value: unknown): value is NodeEntityStatus {
  return isRecord(value) && typeof value['node'] === 'string' && typeof value['cordoned'] === 'boolean';
}
