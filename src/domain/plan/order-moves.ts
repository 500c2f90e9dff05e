import type { NodeName, Vmid } from '../ids.js';
import { rankNodes } from './choose-node.js';
import { memoryOf, type ClusterState } from './cluster-state.js';
import type { PlanDraft } from './plan-draft.js';
import type { MoveWay } from './plan.js';
import type { SnapshotGuest } from './snapshot.js';
import { unitsOf } from './units.js';
import { whyNotOn } from './why-not.js';

/** A guest that shall be on another node at the end. */
export interface Wish {
  readonly guest: SnapshotGuest;
  readonly way: MoveWay;
  readonly to: NodeName;
  readonly reason: string;
}

/**
 * Carries wishes out in an order in which every move fits when it comes. Where each waits for another one (two guests that change places on full nodes),
 * one is parked: the smallest that moves without being stopped goes to a third node, and from there to its own later. Each guest is parked once at most, so
 * this ends; none of `unparked` is. What can't be done is left where it is.
 */
export function orderMoves(wishes: readonly Wish[], { state, draft, unparked }: { state: ClusterState; draft: PlanDraft; unparked: ReadonlySet<Vmid> }): void {
  const destinations = new Map(wishes.map(({ guest, to }) => [guest.vmid, to]));
  const parked = new Set(unparked);
  let open = [...wishes];
  for (;;) {
    const before = open.length;
    open = open.filter((wish) => !fulfil(wish, { state, draft, destinations }));
    if (open.length === 0) return;
    if (open.length < before) continue;
    if (!parkOne(open, { state, draft, parked })) break;
  }
  for (const { guest, to } of open) {
    const reason = whyNotOn(state, { guest, way: 'offline', destinations }, state.nodeState(to)) ?? 'it can not move live';
    draft.leave(guest, { outcome: 'stuck', reason: `it can't come to ${to}: ${reason}` });
  }
}

interface Work {
  readonly state: ClusterState;
  readonly draft: PlanDraft;
  readonly destinations: ReadonlyMap<Vmid, NodeName>;
}

function fulfil({ guest, way, to, reason }: Wish, { state, draft, destinations }: Work): boolean {
  if (whyNotOn(state, { guest, way, destinations }, state.nodeState(to)) !== null) return false;
  draft.move({ guest, way, to, reason, rejected: [] });
  return true;
}

/** The smallest guest that blocks: one that is open itself, on a node to which another open one wants. */
function parkOne(open: readonly Wish[], { state, draft, parked }: Omit<Work, 'destinations'> & { parked: Set<Vmid> }): boolean {
  const wanted = new Set(open.map(({ to }) => to));
  const blocking = open
    .filter(({ guest, way }) => way !== 'restart' && !parked.has(guest.vmid) && wanted.has(state.placeOf(guest.vmid) ?? guest.node))
    .sort((left, right) => memoryOf(left.guest) - memoryOf(right.guest) || left.guest.vmid - right.guest.vmid);
  for (const { guest, way, to } of blocking) {
    const [unit] = unitsOf([{ guest, way }], state);
    if (unit === undefined) continue;
    const { choices } = rankNodes(state, unit);
    const best = choices.find(({ node }) => node !== to);
    if (best === undefined) continue;
    parked.add(guest.vmid);
    draft.move({ guest, way, to: best.node, reason: `it is parked there on its way to ${to}, which is full: ${best.reason}`, rejected: [] });
    return true;
  }
  return false;
}
