import { compareNames, percent, weigh } from './choose-node.js';
import { ClusterState, fullness, loadOf, memoryOf, type NodeState } from './cluster-state.js';
import { whyNotLive, movementOf } from './movement.js';
import { PlanDraft } from './plan-draft.js';
import type { Plan } from './plan.js';
import type { ClusterSnapshot, SnapshotGuest } from './snapshot.js';
import { whyNotOn } from './why-not.js';

export interface BalanceLimits {
  /** At most so many moves. */
  readonly maxMoves: number;
  /** Fullness (0 to 1) between the fullest node and the mean of all below which nothing is done. */
  readonly tolerance: number;
  /** A move must make the sum of the squares of fullness smaller by at least so much: to move is not free either. */
  readonly minGain: number;
}

export const DEFAULT_BALANCE_LIMITS: BalanceLimits = { maxMoves: 10, tolerance: 0.1, minGain: 0.01 };

/**
 * Plans to even out how full nodes are: from the fullest node, the live move that makes the sum of the squares of fullness smallest, until all are near the mean.
 * No guest is stopped for it, and none moves twice. Each move makes that sum smaller, so the end is never worse than the beginning.
 * @throws KedgeError `bad-input` when the snapshot contradicts itself
 */
export function planBalance(snapshot: ClusterSnapshot, limits: BalanceLimits = DEFAULT_BALANCE_LIMITS): Plan {
  const state = new ClusterState(snapshot);
  const draft = new PlanDraft(state);
  const exhausted = new Set<NodeState>();
  while (draft.moved().size < limits.maxMoves) {
    const nodes = state.nodes().filter(({ node }) => node.state !== 'silent');
    const mean = nodes.reduce((sum, each) => sum + fullness(each), 0) / Math.max(1, nodes.length);
    const [fullest] = nodes.filter((each) => !exhausted.has(each)).sort((left, right) => fullness(right) - fullness(left) || byName(left, right));
    if (fullest === undefined || fullness(fullest) - mean < limits.tolerance) break;
    const best = bestMove(fullest, { state, draft, limits });
    if (best === null) exhausted.add(fullest);
    else draft.move({ ...best, way: 'live', rejected: [] });
  }
  return draft.finish();
}

interface Work {
  readonly state: ClusterState;
  readonly draft: PlanDraft;
  readonly limits: BalanceLimits;
}

function bestMove(source: NodeState, { state, draft, limits }: Work) {
  const moved = draft.moved();
  let best: { guest: SnapshotGuest; to: NodeState; gain: number; points: number } | null = null;
  for (const guest of state.guestsOf(source.node.name)) {
    if (moved.has(guest.vmid) || !guest.running || whyNotLive(guest, source.node) !== null || !('way' in movementOf(guest, source.node))) continue;
    const change = { bytes: memoryOf(guest), load: loadOf(guest) };
    const sourceAfter = fullness(source, { bytes: -change.bytes, load: -change.load });
    for (const to of state.nodes()) {
      const targetAfter = fullness(to, change);
      const gain = fullness(source) ** 2 + fullness(to) ** 2 - sourceAfter ** 2 - targetAfter ** 2;
      if (to === source || gain < limits.minGain || (best !== null && gain < best.gain)) continue;
      if (whyNotOn(state, { guest, way: 'live' }, to) !== null) continue;
      const { points } = weigh(state, { guest, way: 'live' }, to);
      if (best === null || gain > best.gain || points < best.points) best = { guest, to, gain, points };
    }
  }
  if (best === null) return null;
  const { guest, to } = best;
  const reason = `${source.node.name} is ${percent(fullness(source))} full, ${to.node.name} ${percent(fullness(to))}`;
  return { guest, to: to.node.name, reason };
}

const byName = (left: NodeState, right: NodeState): number => compareNames(left.node.name, right.node.name);
