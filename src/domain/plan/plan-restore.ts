import type { NodeName, Vmid } from '../ids.js';
import { ClusterState } from './cluster-state.js';
import { movementOf } from './movement.js';
import { orderMoves, type Wish } from './order-moves.js';
import { PlanDraft } from './plan-draft.js';
import type { Plan } from './plan.js';
import type { ClusterSnapshot } from './snapshot.js';

/**
 * Plans to bring the guests of these nodes home: every guest that belongs to one of them and is elsewhere. Guests of high priority go first where that is possible.
 * @throws KedgeError `bad-input` when the snapshot has no such node, or contradicts itself
 */
export function planRestore(snapshot: ClusterSnapshot, homes: readonly NodeName[]): Plan {
  let best = restore(snapshot, homes, new Set());
  // Who was parked and got no further than there was moved for nothing, unless it let others come home.
  for (const unparked = new Set<Vmid>(); best.stranded.length > 0; ) {
    for (const vmid of best.stranded) unparked.add(vmid);
    const other = restore(snapshot, homes, unparked);
    if (other.plan.unplanned.length > best.plan.unplanned.length) break;
    best = other;
  }
  return best.plan;
}

/** `stranded`: guests that are parked at the end. `unparked`: guests that are not to be parked. */
function restore(
  snapshot: ClusterSnapshot,
  homes: readonly NodeName[],
  unparked: ReadonlySet<Vmid>,
): { readonly plan: Plan; readonly stranded: readonly Vmid[] } {
  const state = new ClusterState(snapshot);
  const draft = new PlanDraft(state);
  for (const home of homes) state.nodeState(home);
  const away = snapshot.guests.flatMap((guest) =>
    guest.home !== null && homes.includes(guest.home) && guest.home !== guest.node ? [{ guest, home: guest.home }] : [],
  );
  const wishes: Wish[] = [];
  for (const { guest, home } of away.sort((left, right) => right.guest.priority - left.guest.priority || left.guest.vmid - right.guest.vmid)) {
    const movement = movementOf(guest, state.nodeState(guest.node).node);
    if ('way' in movement) wishes.push({ guest, way: movement.way, to: home, reason: 'it belongs there' });
    // Off where it does not belong nobody is served, and the next drain of its home would find it there.
    else if (movement.stays === 'shut-down')
      draft.leave(guest, { outcome: 'stuck', reason: `${movement.reason}, which is done only to leave a node: move it with --restart, or shut it down` });
    else draft.leave(guest, { outcome: movement.stays, reason: movement.reason });
  }
  orderMoves(wishes, { state, draft, unparked });
  const moved = draft.moved();
  const plan = draft.finish();
  return { plan, stranded: plan.unplanned.flatMap(({ vmid }) => (moved.has(vmid) ? [vmid] : [])) };
}
