import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { NodeProbe } from '../../../src/domain/suspect-node.js';
import { probeHost } from '../../../src/drivers/link/probe-host.js';
import { seeHeartbeat } from '../heartbeat/see-heartbeat.js';
import type { NodeContext } from '../node-context.js';

/** Looks whether another node answers this one, at each of its addresses, or writes its heartbeat on a storage. Changes nothing. @throws KedgeError `not-found` */
export async function probeNode(node: NodeContext, other: NodeName): Promise<NodeProbe> {
  const entry = node.cluster.nodes[other];
  if (entry === undefined) throw new KedgeError('not-found', `Cannot look at node ${other}: kedge.yaml of ${node.node} does not have it`);
  const addresses = [...new Set([entry.address, entry.migrationAddress])];
  const [answers, heartbeat] = await Promise.all([
    Promise.all(addresses.map(async (address) => ({ address, answer: await probeHost(address) }))),
    seeHeartbeat(node, other),
  ]);
  return { from: node.node, answers, ...(heartbeat === null ? {} : { heartbeat }) };
}
