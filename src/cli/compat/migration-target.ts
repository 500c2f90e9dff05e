import { parseNodeName, type NodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { Cluster } from '../cluster.js';
import type { PveValues } from './pve-schema.js';
import { PveUsageError } from './pve-usage-error.js';

/** The node that the positional `target` names. @throws PveUsageError for what is no name, KedgeError `not-found` for no node of the cluster */
export function readTarget(cluster: Cluster, values: PveValues): NodeName {
  const name = parseName(values.positionals['target'] ?? '');
  if (!cluster.nodes.includes(name)) throw new KedgeError('not-found', `no such cluster node '${name}'`);
  return name;
}

/** @throws PveUsageError when the guest is there already */
export function demandOtherNode(target: NodeName, source: NodeName): void {
  if (target === source) throw new PveUsageError('400 Parameter verification failed.\ntarget: target is local node.');
}

function parseName(text: string): NodeName {
  try {
    return parseNodeName(text);
  } catch {
    throw new PveUsageError('400 Parameter verification failed.\ntarget: invalid format - value does not look like a valid node name');
  }
}
