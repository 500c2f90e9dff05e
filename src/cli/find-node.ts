import type { NodeName } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import type { NodeStatus } from '../domain/node-facts.js';
import type { Cluster } from './cluster.js';

/** What is known of one node. @throws KedgeError `not-found` with the nodes that there are */
export async function findNode(cluster: Pick<Cluster, 'listNodes'>, node: NodeName): Promise<NodeStatus> {
  const nodes = await cluster.listNodes();
  const found = nodes.find((one) => one.node === node);
  if (found !== undefined) return found;
  throw new KedgeError('not-found', `Cannot find node ${node}: the cluster has ${nodes.map((one) => one.node).join(', ') || 'none'}`);
}
