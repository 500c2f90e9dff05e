import type { NodeName } from '../../src/domain/ids.js';
import { placeNextLost, type LostPlace, type LostPlacesQuestion } from '../../src/domain/plan/place-lost.js';
import type { ClusterLook } from '../interface-control.js';
import type { ClusterAccess } from './cluster-access.js';

/** What a recovery goes by. A node that has never registered is one of the cluster all the same. */
export async function lookAtCluster(cluster: Pick<ClusterAccess, 'nodes' | 'nodeStatus' | 'recovery'>, suspect: NodeName): Promise<ClusterLook> {
  const seen = await Promise.all(cluster.nodes.map(async (node) => ({ node, status: await cluster.nodeStatus(node) })));
  return {
    nodes: seen.map(({ node, status }) => ({ node, bootId: status?.bootId ?? null, silentSince: status?.silentSince ?? null })),
    lastGuests: seen.find(({ node }) => node === suspect)?.status?.lastGuests ?? [],
    recovery: cluster.recovery,
  };
}

/** Chooses by the cluster and the operator's wishes as they are now. */
export async function placeLost(cluster: Pick<ClusterAccess, 'takeSnapshot' | 'placement'>, question: LostPlacesQuestion): Promise<LostPlace> {
  const [snapshot, wishes] = await Promise.all([cluster.takeSnapshot(), cluster.placement()]);
  return placeNextLost(snapshot, question, wishes);
}
