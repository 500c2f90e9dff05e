import type { NodeName } from '../ids.js';
import { capacityOf, compareNames, copiedDisks, fullness, loadOf, memoryOf, type ClusterState, type NodeState } from './cluster-state.js';
import type { Rejection } from './plan.js';
import type { SnapshotGuest, SnapshotNode } from './snapshot.js';
import { candidateOf, whyNotAllOn, type Unit } from './units.js';
import { whyAgainstRule, type Candidate } from './why-not.js';

/** Fullness that a broken wish, a copy of disks, and a core of twice the usual speed are worth, the last one to an idle guest and */
const WISH_COST = 0.25;
const COPY_COST = 0.1;
const SPEED_WORTH = 0.1;
/** so much more to one that keeps all its cores busy: fullness does not tell it where memory is what a node is full of. */
const BUSY_SPEED_WORTH = 0.3;

export interface Choice {
  readonly node: NodeName;
  /** The lower, the better: the fullness of the node afterwards, and what else speaks against it. */
  readonly points: number;
  /** What speaks for or against the node, in words. */
  readonly reason: string;
}

/** Which of the possible nodes comes first: the one of fewest points, or the one that has least memory left, which leaves room for larger guests elsewhere. */
export type Preference = 'least-points' | 'tightest';

/** Every node as a place for these guests: the possible ones from best to worst, and why the others are none. Ties go by name. */
export function rankNodes(
  state: ClusterState,
  unit: Unit,
  preference: Preference = 'least-points',
): { readonly choices: readonly Choice[]; readonly rejected: readonly Rejection[] } {
  const choices: Choice[] = [];
  const rejected: Rejection[] = [];
  for (const target of state.nodes()) {
    const { name } = target.node;
    const reason = whyNotAllOn(state, unit, target);
    if (reason === null) choices.push(weigh(state, candidateOf(unit, name), target));
    else if (!unit.movers.every(({ guest }) => target.guests.has(guest.vmid))) rejected.push({ node: name, reason });
  }
  const leftOn = ({ node }: Choice): number => capacityOf(state.nodeState(node).node) - state.nodeState(node).usedBytes;
  const rank = (left: Choice, right: Choice): number => (preference === 'tightest' ? leftOn(left) - leftOn(right) : 0) || left.points - right.points;
  choices.sort((left, right) => rank(left, right) || compareNames(left.node, right.node));
  return { choices, rejected };
}

/** What a possible node is worth. */
export function weigh(state: ClusterState, candidate: Candidate, target: NodeState): Choice {
  const { guest } = candidate;
  const { node } = target;
  const isThere = target.guests.has(guest.vmid);
  const full = isThere ? fullness(target) : fullness(target, { bytes: memoryOf(guest), load: loadOf(guest) });
  const source = state.nodeState(state.placeOf(guest.vmid) ?? guest.node).node;
  const copies = !isThere && copiedDisks(guest, source, node).length > 0;
  const wishes = state.rulesOf(guest.vmid).flatMap((rule) => (rule.required ? [] : (whyAgainstRule(rule, state, { ...candidate, to: node.name }) ?? [])));
  const points = full + WISH_COST * wishes.length + (copies ? COPY_COST : 0) - speedWorth(guest, source) * (node.speed - 1);
  const words = [
    `${percent(full)} full with it`,
    ...(node.speed === 1 ? [] : [`cores of ${node.speed} times the usual speed`]),
    ...(copies ? ['its disks must be copied'] : []),
    ...wishes,
  ];
  return { node: node.name, points, reason: words.join(', ') };
}

function speedWorth(guest: SnapshotGuest, { speed }: SnapshotNode): number {
  return SPEED_WORTH + BUSY_SPEED_WORTH * Math.min(1, loadOf(guest) / (guest.cores * speed));
}

/** A node that has no memory for guests, and has some, is full without end. */
export const percent = (share: number): string => (Number.isFinite(share) ? `${Math.round(share * 100)} %` : 'endlessly');
