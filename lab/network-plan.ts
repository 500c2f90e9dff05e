/** Lines for `ip -batch -` that build the lab's networks: pure, so that a test can read them. */
import { GUEST_BRIDGE, NETWORKS, type Link } from './address-plan.js';

/** Bridges of the switch; run in the switch's namespace. */
export function switchLines(): string[] {
  return ['link set lo up', ...NETWORKS.flatMap((network) => bridgeLines(`br-${network}`))];
}

/** Cables from the switch into the namespace of the process `pid` (as the switch's namespace sees it); run in the switch's namespace. */
export function cableLines(links: readonly Link[], pid: number): string[] {
  return links.flatMap((link) => [
    `link add name ${link.port} type veth peer name ${link.interface} address ${link.mac} netns ${pid}`,
    `link set ${link.port} master br-${link.network}`,
    `link set ${link.port} up`,
  ]);
}

/** Addresses, and the guests' bridge of a node; run in the machine's own namespace. */
export function machineLines(links: readonly Link[], options: { guestBridge: boolean }): string[] {
  const addresses = links.flatMap((link) => [
    ...(link.address === null ? [] : [`address add ${link.address} dev ${link.interface}`]),
    `link set ${link.interface} up`,
  ]);
  const bridge = options.guestBridge ? [...bridgeLines(GUEST_BRIDGE), `link set guest0 master ${GUEST_BRIDGE}`] : [];
  return ['link set lo up', ...bridge, ...addresses];
}

function bridgeLines(name: string): string[] {
  // No spanning tree and no forward delay: a port forwards at once. No snooping: it would hold back a moved guest's first packets.
  return [`link add name ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`, `link set ${name} up`];
}
