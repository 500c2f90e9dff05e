import { about, finding, type Finding } from './checks.js';
import type { NetworkNeed } from './guest-needs.js';
import type { HostPair } from './check-hosts.js';

/** What the guest is connected to: `bridges` is what every Kedge tells, `nets` what newer ones add. */
export interface GuestNetworks {
  readonly bridges: readonly string[];
  readonly nets?: readonly NetworkNeed[];
}

/** Would the guest have its networks on the target, with the same VLANs and packet sizes? */
export function checkNetworks({ bridges, nets = [] }: GuestNetworks, hosts: HostPair): readonly Finding[] {
  const { target } = hosts;
  const missing = [...new Set(bridges)].filter((bridge) => !target.bridges.includes(bridge));
  return [
    ...missing.map((bridge) =>
      about(
        { node: target.node, detail: bridge },
        finding(
          'bridge-missing',
          `Node ${target.node} has no bridge ${bridge}, which the guest is connected to`,
          `Create the bridge ${bridge} on ${target.node}`,
        ),
      ),
    ),
    ...nets.flatMap((net) => checkNetwork(net, hosts)),
  ];
}

function checkNetwork({ key, bridge, vlan, mtu }: NetworkNeed, { source, target }: HostPair): readonly Finding[] {
  const there = target.bridgeFacts?.find(({ name }) => name === bridge);
  if (bridge === null || there === undefined) return [];
  const here = source.bridgeFacts?.find(({ name }) => name === bridge);
  const needed = mtu ?? here?.mtu ?? there.mtu;
  return [
    ...(vlan && !there.vlanAware
      ? [
          finding(
            'vlan-unaware',
            `${key} of the guest is in a VLAN, and bridge ${bridge} on ${target.node} is not VLAN-aware`,
            `Make ${bridge} on ${target.node} VLAN-aware`,
          ),
        ]
      : []),
    ...(there.mtu < needed
      ? [
          finding(
            'bridge-mtu',
            `${key} of the guest may send packets of ${needed} bytes, bridge ${bridge} on ${target.node} takes ${there.mtu}`,
            `Give ${bridge} on ${target.node} an MTU of ${needed}`,
          ),
        ]
      : []),
  ];
}
