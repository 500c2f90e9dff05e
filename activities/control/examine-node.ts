import { setTimeout as delay } from 'node:timers/promises';
import type { NodeLook } from '../interface-control.js';
import type { NodeName } from '../../src/domain/ids.js';
import type { ClusterAccess } from './cluster-access.js';

const LOOK_EVERY_MS = 500;
/** Heartbeats come about once a second: an older inventory may be that of a node which has just gone. */
const FRESH_MS = 5_000;

/** What is known of a node now. */
export async function examineNode(cluster: Pick<ClusterAccess, 'nodeStatus'>, node: NodeName): Promise<NodeLook> {
  const status = await cluster.nodeStatus(node);
  const isHeard = status?.inventory != null && status.silentSince === null && (status.inventoryAgeMs ?? Infinity) < FRESH_MS;
  return { isHeard, bootId: status?.bootId ?? null };
}

/** Waits for the node to be heard on another boot. A look that fails is one that has not heard it. Only looks, so that it may be repeated from its beginning. */
export async function awaitBoot(
  cluster: Pick<ClusterAccess, 'nodeStatus'>,
  { node, bootId, timeoutMs }: { node: NodeName; bootId: string | null; timeoutMs: number },
): Promise<{ booted: boolean }> {
  const endMs = Date.now() + timeoutMs;
  while (Date.now() < endMs) {
    const look = await examineNode(cluster, node).catch(() => null);
    if (look?.isHeard === true && look.bootId !== null && look.bootId !== bootId) return { booted: true };
    await delay(LOOK_EVERY_MS);
  }
  return { booted: false };
}
