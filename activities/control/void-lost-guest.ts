import type { ControlActivities } from '../interface-control.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { ClusterAccess } from './cluster-access.js';

/**
 * Gives a lost node up for one guest. Its heartbeats are looked at here, its boot by its entity, which decides: a node that comes back in between
 * registers another boot, and is then not given up any more; one that comes back later is told.
 * @throws KedgeError `node-alive`, `not-found`
 */
export async function voidLostGuest(
  cluster: Pick<ClusterAccess, 'nodeStatus' | 'voidGuest'>,
  { node, bootId, guest }: Parameters<ControlActivities['voidGuest']>[0],
): Promise<void> {
  const status = await cluster.nodeStatus(node);
  if (status?.bootId == null) throw new KedgeError('not-found', `Cannot give ${node} up: it has never registered`);
  if (status.silentSince === null) throw new KedgeError('node-alive', `Cannot give ${node} up: its heartbeats are heard, so it is not off`);
  await cluster.voidGuest({ node, bootId: bootId ?? status.bootId, guest });
}
