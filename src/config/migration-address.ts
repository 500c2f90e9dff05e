import { BlockList, isIP } from 'node:net';
import { KedgeError } from '../domain/kedge-error.js';
import type { ClusterConfig } from '../schema/cluster-config.js';

/**
 * The address of a node that carries copies to it: its `migrationAddress`, or, with a network (CIDR), the one of its addresses in kedge.yaml
 * that lies inside. Host names are not looked up.
 * @throws KedgeError `not-found` for a node that the cluster doesn't have, `bad-input` when not exactly one address fits (PVE's texts)
 */
export function migrationAddress(nodes: ClusterConfig['nodes'], { node, network }: { readonly node: string; readonly network: string | null }): string {
  const entry = nodes[node];
  if (entry === undefined) throw new KedgeError('not-found', `Cannot reach node ${node}: the cluster has ${Object.keys(nodes).join(', ')}`);
  if (network === null) return entry.migrationAddress;
  const isInside = insideOf(network);
  const [only, ...more] = [...new Set([entry.migrationAddress, entry.address])].filter(isInside);
  if (only !== undefined && more.length === 0) return only;
  const reason =
    only === undefined
      ? `no address configured on node '${node}' for network '${network}'`
      : `multiple addresses (${[only, ...more].join(', ')}) configured on node '${node}' for network '${network}'`;
  throw new KedgeError('bad-input', `could not get IP: ${reason}`, {
    details: { field: 'network', value: network, remedy: `Name a network that holds one of the addresses that kedge.yaml has for ${node}` },
  });
}

function insideOf(network: string): (address: string) => boolean {
  const [, base = '', bits] = /^([^/]+)\/(\d+)$/.exec(network) ?? [];
  const version = isIP(base);
  if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) {
    throw new KedgeError('bad-input', `Cannot read the migration network: current value is "${network}", must be a network like 10.1.0.0/24`, {
      details: { field: 'network', value: network, remedy: 'Give it in CIDR notation, like 10.1.0.0/24' },
    });
  }
  const list = new BlockList();
  list.addSubnet(base, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return (address) => isIP(address) === version && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
