/**
 * From what nodes report to what the planner knows. Pure. Never counts on room that may be taken:
 *
 * 1. A guest is on the node whose record makes it the likeliest holder (newest generation, then owned, armed, releasing). On every other node that has
 *    anything of it, its memory is reserved: a migration may end either way, and a stray process takes memory whatever its record says.
 * 2. A running migration reserves memory and disks at its target as soon as it is started, also while it waits for its slot and the target's
 *    inventory does not show it yet. Nothing is given back early at its source. Its guest is not planned: it is under way.
 * 3. Guests of a silent node stay there, and nothing is planned for or to them, unless a newer generation is elsewhere: that one was taken over.
 * 4. What is not known is no reason to move: a guest whose node tells too little (an older Kedge, a config that can't be read, disks that were not
 *    looked at yet) stays, with the reason. Its memory is counted.
 * 5. A migration that starts or ends between two of the looks that make a snapshot may be seen at both ends (counted twice) or be missed at its target.
 *    The latter is why inventories are read before the list of migrations, and why each move is checked again before it begins.
 */
import type { NodeName, Vmid } from '../ids.js';
import type { GuestSummary, NodeStatus } from '../node-facts.js';
import { guestFromNodes, type Sighting } from './guest-from-nodes.js';
import { nodeFromStatus } from './node-from-status.js';
import type { Placement } from './placement.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from './snapshot.js';

/** A migration that has been started and has not ended. */
export interface RunningMove {
  readonly vmid: Vmid;
  /** Null: to be found out, or chosen, by the migration itself. */
  readonly target: NodeName | null;
}

/** All that was seen of the cluster at about one moment. */
export interface SeenCluster {
  readonly takenAt: string;
  readonly nodes: readonly NodeStatus[];
  readonly moves: readonly RunningMove[];
}

/** How likely a node with this record is the one that has the guest; as in surveyCluster, then those that are no holders. */
const RANKS: Readonly<Partial<Record<GuestSummary['record'], number>>> = { owned: 5, armed: 4, releasing: 3, unreadable: 2, missing: 1 };

/** Makes the snapshot. Guests come by vmid, nodes in the order given, so that the same sight gives the same snapshot. */
export function snapshotFromNodes({ takenAt, nodes, moves }: SeenCluster, placement: Placement): ClusterSnapshot {
  const sightings = bestFirst(nodes);
  const homes = homesOf(nodes);
  const guests = [...sightings.values()].map((seen) =>
    guestFromNodes(seen, { isMoving: moves.some(({ vmid }) => vmid === seen[0].guest.vmid), placement, home: homes.get(seen[0].guest.vmid) ?? null, nodes }),
  );
  const reserved = reservations({ sightings, guests, moves });
  return {
    v: 1,
    takenAt,
    nodes: nodes.map((status) => withReservations(nodeFromStatus(status, placement), reserved)),
    guests,
    rules: placement.rules,
    survivesOneNode: placement.survivesOneNode,
  };
}

type Sightings = ReadonlyMap<Vmid, readonly [Sighting, ...Sighting[]]>;

function bestFirst(nodes: readonly NodeStatus[]): Sightings {
  const all = nodes
    .flatMap((status) => (status.inventory?.guests ?? []).map((guest) => ({ status, guest })))
    .sort((one, other) => one.guest.vmid - other.guest.vmid || rankOf(other.guest) - rankOf(one.guest));
  const found = new Map<Vmid, [Sighting, ...Sighting[]]>();
  for (const sighting of all) {
    const known = found.get(sighting.guest.vmid);
    if (known === undefined) found.set(sighting.guest.vmid, [sighting]);
    else known.push(sighting);
  }
  return found;
}

/** A newer generation beats any state of an older one; what only comes in, or is gone, beats nothing. */
function rankOf({ generation, record }: GuestSummary): number {
  const rank = RANKS[record] ?? 0;
  return rank === 0 ? 0 : (generation ?? 0) * 10 + rank;
}

/** The node that a drain sent the guest away from: the last one, if there are several. */
function homesOf(nodes: readonly NodeStatus[]): ReadonlyMap<Vmid, NodeName> {
  const away = nodes.flatMap(({ node, away: sent = [] }) => sent.map(({ vmid, at }) => ({ node, vmid, at })));
  return new Map(away.sort((one, other) => Date.parse(one.at) - Date.parse(other.at)).map(({ vmid, node }) => [vmid, node]));
}

/** Room that is promised, or may be taken, beside where the snapshot has the guest. */
interface Reservation {
  readonly node: NodeName;
  readonly guest: SnapshotGuest;
  /** Disks that the migration copies are written there, too. */
  readonly isTarget: boolean;
}

function reservations(seen: { sightings: Sightings; guests: readonly SnapshotGuest[]; moves: readonly RunningMove[] }): readonly Reservation[] {
  return seen.guests.flatMap((guest) => {
    const others = (seen.sightings.get(guest.vmid) ?? []).filter(({ status }) => status.node !== guest.node);
    const taken = others.filter(({ guest: there }) => there.qemu !== 'gone' || !['missing', 'released', 'revoked'].includes(there.record));
    const target = seen.moves.find(({ vmid }) => vmid === guest.vmid)?.target ?? null;
    const incoming = taken.filter(({ guest: there }) => there.record === 'incoming' || there.record === 'armed').map(({ status }) => status.node);
    const targets = new Set([...incoming, ...(target === null || target === guest.node ? [] : [target])]);
    const all = new Set([...taken.map(({ status }) => status.node), ...targets]);
    return [...all].map((node) => ({ node, guest, isTarget: targets.has(node) }));
  });
}

/** Copies that have come in partly are taken off whole: rather too little room than too much. */
function withReservations(node: SnapshotNode, all: readonly Reservation[]): SnapshotNode {
  const here = all.filter((reservation) => reservation.node === node.name);
  if (here.length === 0) return node;
  const copies = here.filter(({ isTarget }) => isTarget).flatMap(({ guest }) => guest.disks);
  return {
    ...node,
    reservedBytes: node.reservedBytes + here.reduce((sum, { guest }) => sum + guest.memoryBytes, 0),
    storages: node.storages.map((storage) => {
      const taken = storage.identity === null ? copies.filter(({ storage: id }) => id === storage.id).reduce((sum, { bytes }) => sum + bytes, 0) : 0;
      return { ...storage, freeBytes: Math.max(0, storage.freeBytes - taken) };
    }),
  };
}
