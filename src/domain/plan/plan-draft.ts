import type { NodeName, Vmid } from '../ids.js';
import { capacityOf, copiedDisks, fullness, memoryOf, type ClusterState } from './cluster-state.js';
import type { MoveWay, Plan, PlannedMove, Rejection, Unplanned } from './plan.js';
import type { SnapshotGuest } from './snapshot.js';

/** A move that was decided; the plan adds where it comes from and what it must wait for. */
export interface Decision {
  readonly guest: SnapshotGuest;
  readonly to: NodeName;
  readonly way: MoveWay;
  readonly reason: string;
  readonly rejected: readonly Rejection[];
}

/**
 * A plan that grows: each decision is carried out on the state at once, so that the next one sees it.
 *
 * Which moves a move must wait for is chosen such that moves that wait for none may run together, in any order, and no node ever has more than it
 * can hold. Call `A(m)` all that arrives at the node of move `m` up to and with `m`, in the order of the plan, and `D(m)` what leaves it in the moves that `m`
 * waits for. Each move is given so many departures that `start + A(m) - D(m)` fits. At any time, let `m` be the last move in the plan's order whose
 * guest is at, or on its way to, the node: what is there came with `A(m)` or was there at the start, and `D(m)` is gone. So it fits.
 */
export class PlanDraft {
  readonly #state: ClusterState;
  readonly #before: ReadonlyMap<NodeName, number>;
  readonly #usedAtStart: ReadonlyMap<NodeName, number>;
  readonly #moves: PlannedMove[] = [];
  readonly #unplanned: Unplanned[] = [];
  /** By node: what arrives there in all moves so far, bytes of memory, and who leaves. */
  readonly #arrivals = new Map<NodeName, number>();
  readonly #departures = new Map<NodeName, { readonly at: number; readonly bytes: number; readonly vmid: Vmid }[]>();
  readonly #movesOf = new Map<Vmid, readonly number[]>();

  constructor(state: ClusterState) {
    this.#state = state;
    this.#before = new Map(state.nodes().map((each) => [each.node.name, fullness(each)]));
    this.#usedAtStart = new Map(state.nodes().map((each) => [each.node.name, each.usedBytes]));
  }

  /** Guests that this plan moves. */
  moved(): ReadonlySet<Vmid> {
    return new Set(this.#movesOf.keys());
  }

  /** Carries the decision out. Its caller has seen that the target takes the guest now. */
  move({ guest, to, way, reason, rejected }: Decision): void {
    const from = this.#state.placeOf(guest.vmid) ?? guest.node;
    const copied = copiedDisks(guest, this.#state.nodeState(from).node, this.#state.nodeState(to).node);
    const bytes = (way === 'live' ? guest.memoryBytes : 0) + copied.reduce((sum, disk) => sum + disk.bytes, 0);
    const after = this.#waitsFor(guest, to);
    this.#movesOf.set(guest.vmid, [...(this.#movesOf.get(guest.vmid) ?? []), this.#moves.length]);
    this.#arrivals.set(to, (this.#arrivals.get(to) ?? 0) + memoryOf(guest));
    const departures = this.#departures.get(from) ?? [];
    departures.push({ at: this.#moves.length, bytes: memoryOf(guest), vmid: guest.vmid });
    this.#departures.set(from, departures);
    this.#moves.push({ vmid: guest.vmid, from, to, way, bytes, reason, rejected, after });
    this.#state.move(guest.vmid, to);
  }

  leave(guest: SnapshotGuest, { outcome, reason, rejected = [] }: Pick<Unplanned, 'outcome' | 'reason'> & { rejected?: readonly Rejection[] }): void {
    this.#unplanned.push({ vmid: guest.vmid, node: this.#state.placeOf(guest.vmid) ?? guest.node, outcome, reason, rejected });
  }

  finish(): Plan {
    const nodes = this.#state.nodes().map((each) => ({ node: each.node.name, before: this.#before.get(each.node.name) ?? 0, after: fullness(each) }));
    return { moves: this.#moves, unplanned: this.#unplanned, nodes };
  }

  #waitsFor(guest: SnapshotGuest, to: NodeName): readonly number[] {
    const departures = this.#departures.get(to) ?? [];
    // The guest's own earlier move, when it was parked.
    const own = this.#movesOf.get(guest.vmid) ?? [];
    if (departures.length === 0) return own;
    const waits = new Set<number>(own);
    // Guests that may not be beside it.
    const kept = new Set(this.#state.rulesOf(guest.vmid).flatMap((rule) => (rule.kind === 'apart' && rule.required ? rule.guests : [])));
    for (const { at, vmid } of departures) if (kept.has(vmid)) waits.add(at);
    let over = (this.#usedAtStart.get(to) ?? 0) + (this.#arrivals.get(to) ?? 0) + memoryOf(guest) - capacityOf(this.#state.nodeState(to).node);
    for (const { at, bytes } of departures) if (waits.has(at)) over -= bytes;
    for (const { at, bytes } of departures) {
      if (over <= 0 || memoryOf(guest) === 0) break;
      if (bytes === 0 || waits.has(at)) continue;
      waits.add(at);
      over -= bytes;
    }
    return [...waits].sort((left, right) => left - right);
  }
}
