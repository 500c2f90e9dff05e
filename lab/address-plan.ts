/**
 * The lab's addresses: pure arithmetic. Every lab has a switch namespace of its own, so all labs use the same plan.
 *
 * ```
 *             control 10.90.0.0/24      migration 10.90.1.0/24     guest 10.90.2.0/23
 * control     10.90.0.2                 -                          -
 * client      -                         -                          10.90.2.1
 * node i      10.90.0.(10+i)            10.90.1.(10+i)             vmbr0, no address
 * ```
 */
import { KedgeError } from '../src/domain/kedge-error.js';

/** The three networks, each a bridge of its own, so that each can be cut alone. */
export const NETWORKS = ['control', 'migration', 'guest'] as const;
export type Network = (typeof NETWORKS)[number];

/** What a machine of the lab is: the switch joins the others, the relay reaches the host, nodes run guests. */
export const ROLES = ['switch', 'relay', 'control', 'client', 'node'] as const;
export type Role = (typeof ROLES)[number];

export const TEMPORAL_PORT = 7233;
export const CONTROL_ADDRESS = '10.90.0.2';
export const OBSERVER_ADDRESS = '10.90.2.1';
/** Bridge on each node that guests' taps join. */
export const GUEST_BRIDGE = 'vmbr0';
/** Nodes that fit the plan and the machine's patience. */
export const MAX_NODES = 32;

/** One cable: the port on the switch and the interface in the machine. */
export interface Link {
  readonly network: Network;
  /** Interface name in the switch namespace, at most 15 characters. */
  readonly port: string;
  readonly interface: string;
  /** With prefix length; null where the interface only joins the guests' bridge. */
  readonly address: string | null;
  /** A machine keeps it over a power cut, as real hardware does: its peers' neighbour tables stay true. */
  readonly mac: string;
}

/** Names of the nodes of a lab of `count`: node1, node2 … @throws KedgeError `bad-input` */
export function nodeNames(count: number): string[] {
  if (!Number.isInteger(count) || count < 1 || count > MAX_NODES) {
    throw new KedgeError('bad-input', `Cannot plan a lab: number of nodes is ${count}, must be from 1 to ${MAX_NODES}`);
  }
  return Array.from({ length: count }, (_, index) => `node${index + 1}`);
}

/** Control and migration address of a node, without prefix. @throws KedgeError `bad-input` for a name that is none of a lab's nodes */
export function nodeAddresses(node: string): { control: string; migration: string } {
  const index = nodeIndex(node);
  return { control: `10.90.0.${10 + index}`, migration: `10.90.1.${10 + index}` };
}

/** The cables of one machine. */
export function linksOf(machine: { role: Role; name: string }): Link[] {
  switch (machine.role) {
    case 'switch':
    case 'relay':
      return [];
    case 'control':
      return [linkOf('control', 'control', { address: `${CONTROL_ADDRESS}/24`, host: 2 })];
    case 'client':
      return [linkOf('client', 'guest', { address: `${OBSERVER_ADDRESS}/23`, host: 1 })];
    case 'node': {
      const { control, migration } = nodeAddresses(machine.name);
      const host = 10 + nodeIndex(machine.name);
      return [
        linkOf(machine.name, 'control', { address: `${control}/24`, host }),
        linkOf(machine.name, 'migration', { address: `${migration}/24`, host }),
        linkOf(machine.name, 'guest', { address: null, host }),
      ];
    }
  }
}

/** Port of a machine on the switch, e.g. `n1.migration`. */
export function portName(machine: string, network: Network): string {
  if (machine === 'control') return `ct.${network}`;
  if (machine === 'client') return `cl.${network}`;
  return `n${nodeIndex(machine)}.${network}`;
}

/** Where a port's frames pass the bridge while its cable is delayed: at most 15 characters, too. */
export const delayedPort = (port: string): string => `${port}.d`;

function linkOf(machine: string, network: Network, end: { address: string | null; host: number }): Link {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  const mac = `02:4b:45:${hex(NETWORKS.indexOf(network))}:00:${hex(end.host)}`;
  return { network, port: portName(machine, network), interface: `${network}0`, address: end.address, mac };
}

function nodeIndex(node: string): number {
  const match = /^node([1-9][0-9]?)$/.exec(node);
  const index = Number(match?.[1] ?? 0);
  if (index < 1 || index > MAX_NODES)
    throw new KedgeError('bad-input', `Cannot find node of the lab: current value is "${node}", must be node1 to node${MAX_NODES}`);
  return index;
}
