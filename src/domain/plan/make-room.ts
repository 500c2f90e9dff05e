import type { NodeName, Vmid } from '../ids.js';
import { rankNodes } from './choose-node.js';
import { capacityOf, memoryOf, type ClusterState, type NodeState } from './cluster-state.js';
import { movementOf } from './movement.js';
import type { Decision } from './plan-draft.js';
import type { SnapshotGuest } from './snapshot.js';
import { candidateOf, unitsOf, whyNotAllOn, type Unit } from './units.js';
import { whyNotSurvived } from './why-not.js';

/** Guests of a node that are thought of as those that make room: the smallest that are large enough. */
const THOUGHT_OF = 3;

/**
 * Finds one guest of another node whose leaving lets the unit in: where memory is all that is missing, the smallest that frees enough, can move without
 * being stopped, and has a place to go to. Null: there is none. Nothing is moved yet.
 */
export function findRoom(state: ClusterState, unit: Unit, moved: ReadonlySet<Vmid>): { readonly at: NodeName; readonly first: Decision } | null {
  for (const target of state.nodes()) {
    const lacking = lackingBytes(state, unit, target);
    if (lacking === null) continue;
    const leavers = state
      .guestsOf(target.node.name)
      .filter((guest) => memoryOf(guest) >= lacking && !moved.has(guest.vmid) && !sharesRule(state, guest, unit))
      .sort((left, right) => memoryOf(left) - memoryOf(right) || left.vmid - right.vmid)
      .slice(0, THOUGHT_OF);
    for (const guest of leavers) {
      const first = departure(state, guest, { from: target, unit });
      if (first !== null) return { at: target.node.name, first };
    }
  }
  return null;
}

/** Memory that the node lacks for the unit, bytes; null: there is room, or something else is in the way too. */
function lackingBytes(state: ClusterState, unit: Unit, target: NodeState): number | null {
  const { whole } = unit;
  const lacking = memoryOf(whole.guest) - (capacityOf(target.node) - target.usedBytes);
  if (lacking <= 0 || memoryOf(whole.guest) > capacityOf(target.node)) return null;
  // As if it needed no memory: is anything else in the way?
  const weightless: Unit = {
    movers: [asOff(unit.movers[0]), ...unit.movers.slice(1).map(asOff)],
    whole: asOff(whole),
  };
  const other = whyNotAllOn(state, weightless, target) ?? whyNotSurvived(state, candidateOf(unit, target.node.name), target);
  return other === null ? lacking : null;
}

/** Who goes because of the unit may not change by that whether the unit may come. */
function sharesRule(state: ClusterState, guest: SnapshotGuest, { movers }: Unit): boolean {
  const rules = state.rulesOf(guest.vmid);
  return movers.some((mover) => state.rulesOf(mover.guest.vmid).some((rule) => rules.includes(rule)));
}

const asOff = (mover: Unit['whole']): Unit['whole'] => ({ ...mover, guest: { ...mover.guest, running: false } });

function departure(state: ClusterState, guest: SnapshotGuest, { from, unit }: { from: NodeState; unit: Unit }): Decision | null {
  const movement = movementOf(guest, from.node);
  if (!('way' in movement) || movement.way !== 'live' || guest.priority > unit.whole.guest.priority) return null;
  const [alone] = unitsOf([{ guest, way: movement.way }], state);
  if (alone === undefined) return null;
  const { choices, rejected } = rankNodes(state, alone);
  const [best] = choices;
  if (best === undefined) return null;
  const reason = `it makes room on ${from.node.name} for guest ${unit.whole.guest.vmid}: ${best.reason}`;
  return { guest, way: movement.way, to: best.node, reason, rejected };
}
