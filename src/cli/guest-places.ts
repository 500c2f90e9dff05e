import type { NodeName } from '../domain/ids.js';
import type { GuestSummary, NodeStatus } from '../domain/node-facts.js';

/** A guest as one node reports it. */
export interface GuestPlace {
  readonly node: NodeName;
  readonly guest: GuestSummary;
  /** Milliseconds since the node last said so; null when unknown. */
  readonly ageMs: number | null;
}

/** All that the nodes report of guests, by vmid, then by node. */
export function guestPlaces(nodes: readonly NodeStatus[]): readonly GuestPlace[] {
  return nodes
    .flatMap(({ node, inventory, inventoryAgeMs }) => (inventory?.guests ?? []).map((guest) => ({ node, guest, ageMs: inventoryAgeMs })))
    .sort((a, b) => a.guest.vmid - b.guest.vmid || a.node.localeCompare(b.node));
}
