import type { NodeName } from '../ids.js';
import { rankNodes, type Preference } from './choose-node.js';
import { ClusterState } from './cluster-state.js';
import { findRoom } from './make-room.js';
import { movementOf } from './movement.js';
import { PlanDraft } from './plan-draft.js';
import type { Plan, Rejection } from './plan.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from './snapshot.js';
import { candidateOf, unitsOf, type Mover, type Unit } from './units.js';
import { whyNotOn } from './why-not.js';

/** So often room is made by moving another guest: where a cluster is simply full, more search finds nothing. */
const ROOM_SEARCHES = 100;

/**
 * Plans to empty nodes: guests of high priority first, then the largest, each to the node that is least full with it. Guests that a rule keeps together go
 * to one node, one after the other. Where nothing fits, a guest of another node makes room. When guests find no room that way, which spreads what is
 * free, the nodes that are fullest are filled first instead, if more can go then.
 * @throws KedgeError `bad-input` when the snapshot has no such node, or contradicts itself
 */
export function planEvacuation(snapshot: ClusterSnapshot, leaving: readonly NodeName[]): Plan {
  const spread = evacuate(snapshot, leaving, 'least-points');
  if (spread.unplaced === 0) return spread.plan;
  const tight = evacuate(snapshot, leaving, 'tightest');
  return tight.unplaced < spread.unplaced ? tight.plan : spread.plan;
}

/** `unplaced`: so many guests could go, and found no node. */
function evacuate(snapshot: ClusterSnapshot, leaving: readonly NodeName[], preference: Preference): { readonly plan: Plan; readonly unplaced: number } {
  const state = new ClusterState({ ...snapshot, nodes: snapshot.nodes.map((node) => (leaving.includes(node.name) ? closed(node) : node)) });
  const draft = new PlanDraft(state);
  const movers: Mover[] = [];
  for (const name of new Set(leaving)) {
    const { node } = state.nodeState(name);
    for (const guest of state.guestsOf(name)) {
      const movement = movementOf(guest, node);
      if ('way' in movement) movers.push({ guest, way: movement.way });
      else draft.leave(guest, { outcome: movement.stays, reason: movement.reason });
    }
  }
  let searches = ROOM_SEARCHES;
  for (const unit of unitsOf(movers, state)) {
    const { choices, rejected } = rankNodes(state, unit, preference);
    const [best] = choices;
    const room = best !== undefined || searches === 0 ? null : findRoom(state, unit, draft.moved());
    if (best === undefined) searches = Math.max(0, searches - 1);
    if (room !== null) draft.move(room.first);
    const to = best?.node ?? room?.at ?? null;
    const why = best?.reason ?? `guest ${room?.first.guest.vmid ?? ''} makes room there`;
    for (const mover of unit.movers) moveOrLeave(mover, { state, draft, unit, to, why, rejected });
  }
  const away = draft.moved();
  return { plan: draft.finish(), unplaced: movers.filter(({ guest }) => !away.has(guest.vmid)).length };
}

/** It takes no new guests any more; one that is silent stays that. */
const closed = (node: SnapshotNode): SnapshotNode => (node.state === 'silent' ? node : { ...node, state: 'cordoned' });

interface Placing {
  readonly state: ClusterState;
  readonly draft: PlanDraft;
  readonly unit: Unit;
  readonly to: NodeName | null;
  readonly why: string;
  readonly rejected: readonly Rejection[];
}

/** Rules that contradict each other show when the second guest of a unit comes to the first. */
function moveOrLeave({ guest, way }: Mover, { state, draft, unit, to, why, rejected }: Placing): void {
  const obstacle = to === null ? null : whyNotOn(state, { ...candidateOf(unit, to), guest, way }, state.nodeState(to));
  if (to !== null && obstacle === null) {
    draft.move({ guest, way, to, reason: `its node is to be empty: ${why}`, rejected });
    return;
  }
  draft.leave(guest, { outcome: 'stuck', reason: obstacle ?? `no node can take it${companyOf(guest, unit)}`, rejected });
}

const NAMED = 5;

/** With whom it would have to go. A rule may keep thousands together, and each of them tells this. */
function companyOf(guest: SnapshotGuest, { movers }: Unit): string {
  const named = movers
    .slice(0, NAMED + 1)
    .flatMap((other) => (other.guest === guest ? [] : [other.guest.vmid]))
    .slice(0, NAMED);
  const more = movers.length - 1 - named.length;
  return named.length === 0 ? '' : ` together with guest ${named.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}
