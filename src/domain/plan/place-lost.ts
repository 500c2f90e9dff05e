import { orderOf, type Recoverable } from '../recovery.js';
import type { LostGuest } from '../lost-guest.js';
import type { NodeName, Vmid } from '../ids.js';
import { rankNodes } from './choose-node.js';
import { ClusterState } from './cluster-state.js';
import type { Placement } from './placement.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from './snapshot.js';
import { unitsOf } from './units.js';

/** Which guests of a lost node are to be started elsewhere, and where those were that this recovery has placed already. */
export interface LostPlacesQuestion {
  readonly lost: NodeName;
  /** Not empty. */
  readonly guests: readonly Recoverable[];
  /** Inventories are a second old: these may be missing from them still. Those that are being taken too, by the node that is asked first. */
  readonly placed: readonly { readonly guest: LostGuest; readonly to: NodeName }[];
}

/** The guest that comes next, and the nodes that can take it from best to worst; with none, why. */
export interface LostPlace {
  readonly vmid: Vmid;
  readonly targets: readonly NodeName[];
  readonly reason: string;
  /**
   * By priority and `startup: order=`: guests of one turn may be taken at the same time, those of the next one wait for them. Absent: it has its turn
   * alone, since a rule says where it may be by where another one is, which is known once that has been taken.
   */
  readonly turn?: string;
}

/**
 * Chooses the next guest of a lost node, by the operator's priority, then by `startup: order=`, then by number, and where it may start. All rules that a drain obeys hold, but
 * one: the room that is kept for the guests of a node that fails is for these. @throws KedgeError `bad-input` for a node that the snapshot does not have
 */
export function placeNextLost(snapshot: ClusterSnapshot, { lost, guests, placed }: LostPlacesQuestion, placement: Placement): LostPlace {
  const priorityOf = ({ guest: { vmid } }: Recoverable): number => placement.guests.get(vmid)?.priority ?? 0;
  const inOrder = [...guests].sort(
    (one, other) => priorityOf(other) - priorityOf(one) || orderOf(one.guest) - orderOf(other.guest) || one.guest.vmid - other.guest.vmid,
  );
  const [next] = inOrder;
  if (next === undefined) throw new Error('There is no guest to place');
  const { vmid } = next.guest;
  if (placement.guests.get(vmid)?.pinned === true) return { vmid, targets: [], reason: 'it is pinned to its node' };
  const state = new ClusterState(withLost(snapshot, { lost, guests, placed }));
  // Guests that a rule keeps together must find room together, though they start one after the other.
  const movers = inOrder.map(({ guest }) => ({ guest: state.guest(guest.vmid), way: 'offline' as const }));
  const unit = unitsOf(movers, state).find(({ movers: together }) => together.some(({ guest }) => guest.vmid === vmid));
  const { choices, rejected } = unit === undefined ? { choices: [], rejected: [] } : rankNodes(state, unit);
  const blind = choices.filter(({ node }) => !next.seenBy.includes(node)).map(({ node }) => ({ node, reason: 'it does not see its storage' }));
  return {
    vmid,
    targets: choices.map(({ node }) => node).filter((node) => next.seenBy.includes(node)),
    reason: [...rejected, ...blind].map(({ node, reason }) => `${node}: ${reason}`).join('; '),
    ...(isBound(snapshot, vmid) ? {} : { turn: `${priorityOf(next)}/${orderOf(next.guest)}` }),
  };
}

/** Does a rule bind it to another guest, or keep it from one? */
function isBound({ rules }: ClusterSnapshot, vmid: Vmid): boolean {
  return rules.some(({ kind, guests }) => kind !== 'nodes' && guests.includes(vmid));
}

/** The snapshot with the lost node as it was: a silent node tells neither its guests nor its storages. */
function withLost(snapshot: ClusterSnapshot, { lost, guests, placed }: LostPlacesQuestion): ClusterSnapshot {
  const places = new Map(placed.map(({ guest, to }) => [guest.vmid, to]));
  const found = [...placed.map(({ guest }) => guest), ...guests.map(({ guest }) => guest)];
  const known = new Set(found.map(({ vmid }) => vmid));
  return {
    ...snapshot,
    survivesOneNode: false,
    nodes: snapshot.nodes.map((node) => (node.name === lost && node.state === 'silent' ? { ...node, storages: sharedOf(snapshot) } : node)),
    guests: [...snapshot.guests.filter(({ vmid }) => !known.has(vmid)), ...found.map((guest) => lostGuest(guest, places.get(guest.vmid) ?? lost))],
  };
}

function sharedOf({ nodes }: ClusterSnapshot): SnapshotNode['storages'] {
  const shared = nodes.flatMap(({ storages }) => storages).filter(({ identity }) => identity !== null);
  return [...new Map(shared.map((storage) => [storage.id, storage])).values()];
}

function lostGuest({ vmid, kind, wanted, memoryBytes, cores, storages, bridges }: LostGuest, node: NodeName): SnapshotGuest {
  return {
    vmid,
    kind,
    node,
    running: wanted !== 'stopped',
    memoryBytes,
    cores,
    cpuLoad: 0,
    disks: storages.map((storage) => ({ storage, bytes: 0 })),
    bridges,
    // It starts from its disks: what it was shown before does not bind it.
    cpuFlags: [],
    machineType: null,
    localDevices: [],
    pinned: false,
    priority: 0,
    whenNotLive: 'skip',
    home: null,
  };
}
