import type { NodeName, Vmid } from '../ids.js';
import { KedgeError } from '../kedge-error.js';
import type { ClusterSnapshot, GuestRule, SnapshotGuest, SnapshotNode } from './snapshot.js';

/** A node in the course of a plan. */
export interface NodeState {
  readonly node: SnapshotNode;
  readonly guests: Set<Vmid>;
  /** Memory of the guests that run there. */
  usedBytes: number;
  /** Cores of a usual node that they keep busy. */
  cpuLoad: number;
}

/** The cluster in the course of a plan: where each guest is after the moves so far. */
export class ClusterState {
  readonly #nodes = new Map<NodeName, NodeState>();
  readonly #guests = new Map<Vmid, SnapshotGuest>();
  readonly #places = new Map<Vmid, NodeName>();
  readonly #rules = new Map<Vmid, GuestRule[]>();
  readonly #members = new Map<GuestRule, ReadonlySet<Vmid>>();
  /** What copies have taken, by storage: nodes that see the same files share what is free. */
  readonly #taken = new Map<string, number>();
  readonly survivesOneNode: boolean;

  /**
   * Puts all in one order first, so that a plan is the same whichever order the snapshot has.
   * @throws KedgeError `bad-input` for a name that comes twice, or a guest on no node
   */
  constructor({ nodes, guests, rules, survivesOneNode }: ClusterSnapshot) {
    this.survivesOneNode = survivesOneNode;
    for (const node of [...nodes].sort((left, right) => compareNames(left.name, right.name))) {
      if (this.#nodes.has(node.name)) throw new KedgeError('bad-input', `Cannot plan: node ${node.name} is in the snapshot twice`);
      this.#nodes.set(node.name, { node, guests: new Set(), usedBytes: 0, cpuLoad: 0 });
    }
    for (const guest of [...guests].sort((left, right) => left.vmid - right.vmid)) {
      if (this.#guests.has(guest.vmid)) throw new KedgeError('bad-input', `Cannot plan: guest ${guest.vmid} is in the snapshot twice`);
      this.#guests.set(guest.vmid, guest);
      this.#enter(guest, this.nodeState(guest.node));
    }
    for (const rule of [...rules].sort((left, right) => compareNames(left.id, right.id))) this.#addRule(rule);
  }

  /** @throws KedgeError `bad-input` when the snapshot has no such node */
  nodeState(name: NodeName): NodeState {
    const found = this.#nodes.get(name);
    if (found === undefined) throw new KedgeError('bad-input', `Cannot plan: the snapshot has no node "${name}", it has ${[...this.#nodes.keys()].join(', ')}`);
    return found;
  }

  /** @throws KedgeError `bad-input` when the snapshot has no such guest */
  guest(vmid: Vmid): SnapshotGuest {
    const found = this.#guests.get(vmid);
    if (found === undefined) throw new KedgeError('bad-input', `Cannot plan: the snapshot has no guest ${vmid}`);
    return found;
  }

  nodes(): readonly NodeState[] {
    return [...this.#nodes.values()];
  }

  guestsOf(name: NodeName): readonly SnapshotGuest[] {
    return [...this.nodeState(name).guests].map((vmid) => this.guest(vmid));
  }

  /** The node where the guest is after the moves so far; null for a guest that the snapshot does not have. */
  placeOf(vmid: Vmid): NodeName | null {
    return this.#places.get(vmid) ?? null;
  }

  rulesOf(vmid: Vmid): readonly GuestRule[] {
    return this.#rules.get(vmid) ?? [];
  }

  /** Moves a guest. Its copies take space on the target; that its source removes its disks afterwards is not counted on. */
  move(vmid: Vmid, to: NodeName): void {
    const guest = this.guest(vmid);
    const source = this.nodeState(this.#places.get(vmid) ?? guest.node);
    const target = this.nodeState(to);
    for (const { storage, bytes } of copiedDisks(guest, source.node, target.node)) {
      const key = storageKey(target.node, storage);
      this.#taken.set(key, (this.#taken.get(key) ?? 0) + bytes);
    }
    source.guests.delete(vmid);
    source.usedBytes -= memoryOf(guest);
    source.cpuLoad -= loadOf(guest);
    this.#enter(guest, target);
  }

  /** Another guest of the rule that is on this node; null: there is none. Rules and nodes may have thousands: it looks through the fewer. */
  companionAt(rule: GuestRule, { vmid, node }: { readonly vmid: Vmid; readonly node: NodeName }): Vmid | null {
    const { guests } = this.nodeState(node);
    if (guests.size >= rule.guests.length) return rule.guests.find((other) => other !== vmid && guests.has(other)) ?? null;
    const members = this.#members.get(rule);
    let first: Vmid | null = null;
    for (const other of guests) if (other !== vmid && members?.has(other) === true && (first === null || other < first)) first = other;
    return first;
  }

  /** What copies have taken of this storage of the node, bytes. */
  takenOf(node: SnapshotNode, storage: string): number {
    return this.#taken.get(storageKey(node, storage)) ?? 0;
  }

  #addRule(rule: GuestRule): void {
    const ordered: GuestRule = { ...rule, guests: [...new Set(rule.guests)].sort((left, right) => left - right) };
    this.#members.set(ordered, new Set(ordered.guests));
    for (const vmid of ordered.guests) {
      const known = this.#rules.get(vmid);
      if (known === undefined) this.#rules.set(vmid, [ordered]);
      else known.push(ordered);
    }
  }

  #enter(guest: SnapshotGuest, state: NodeState): void {
    state.guests.add(guest.vmid);
    state.usedBytes += memoryOf(guest);
    state.cpuLoad += loadOf(guest);
    this.#places.set(guest.vmid, state.node.name);
  }
}

/** Memory that a guest takes of its node. */
export const memoryOf = ({ running, memoryBytes }: SnapshotGuest): number => (running ? memoryBytes : 0);
export const loadOf = ({ running, cpuLoad }: SnapshotGuest): number => (running ? cpuLoad : 0);

/** What guests may have of a node's memory. */
export const capacityOf = ({ memoryBytes, reservedBytes }: SnapshotNode): number => Math.max(0, memoryBytes - reservedBytes);

/** The greater share of memory and processors that guests have of a node: 1 is full. `more` is what would come, or go. */
export function fullness({ node, usedBytes, cpuLoad }: NodeState, more: { readonly bytes: number; readonly load: number } = { bytes: 0, load: 0 }): number {
  return Math.max(share(usedBytes + more.bytes, capacityOf(node)), share(cpuLoad + more.load, node.cores * node.speed));
}

/** Disks that don't lie on a storage that both nodes see. */
export function copiedDisks(guest: SnapshotGuest, source: SnapshotNode, target: SnapshotNode): SnapshotGuest['disks'] {
  return guest.disks.filter(({ storage }) => {
    const here = source.storages.find(({ id }) => id === storage);
    return here?.identity === null || here?.identity !== target.storages.find(({ id }) => id === storage)?.identity;
  });
}

const share = (part: number, whole: number): number => (whole > 0 ? part / whole : part > 0 ? Number.POSITIVE_INFINITY : 0);

/** The same for all nodes that see the same files. No id of a node holds a slash. */
function storageKey({ name, storages }: SnapshotNode, storage: string): string {
  const identity = storages.find(({ id }) => id === storage)?.identity ?? null;
  return identity === null ? `${name}/${storage}` : `/${identity}`;
}

/** By code units: the same order on every machine. */
export function compareNames(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
