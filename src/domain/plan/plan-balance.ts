import { expectedMs } from '../drain/expected-ms.js';
import type { NodeName } from '../ids.js';
import type { MigrationOptions } from '../migration.js';
import { percent, weigh } from './choose-node.js';
import { ClusterState, compareNames, copiedDisks, fullness, loadOf, memoryOf, type NodeState } from './cluster-state.js';
import { whyNotLive, movementOf } from './movement.js';
import { PlanDraft } from './plan-draft.js';
import type { Plan } from './plan.js';
import type { ClusterSnapshot, SnapshotGuest } from './snapshot.js';
import { breaksKeptWish, whyNotOn } from './why-not.js';

export interface BalanceLimits {
  /** At most so many moves. */
  readonly maxMoves: number;
  /** Fullness (0 to 1) between the fullest node and the mean of all below which nothing is done. */
  readonly tolerance: number;
  /** A move must make the sum of the squares of fullness smaller by at least so much, its cost taken off: to move is not free either. */
  readonly minGain: number;
}

export const DEFAULT_BALANCE_LIMITS: BalanceLimits = { maxMoves: 10, tolerance: 0.1, minGain: 0.01 };

/** What an hour of copying costs, in squares of fullness: as much as is gained by a tenth of a node that moves to one a third emptier. */
const HOUR_COST = 0.05;
/** A node that has no memory for guests and has some is endlessly full: no number to reckon with. */
const FULLEST = 10;

export interface BalanceCircumstances {
  /** Nodes that are neither relieved nor burdened now. */
  readonly untouched?: ReadonlySet<NodeName>;
  /** Of every move, for its cost. */
  readonly options?: Partial<MigrationOptions>;
}

/** How uneven a cluster is: the fullest node, and how much fuller than the mean of all that take guests. */
export interface Imbalance {
  /** Null: no node takes guests. */
  readonly node: NodeName | null;
  readonly fullness: number;
  readonly mean: number;
}

/**
 * Plans to even out how full nodes are: from the fullest node, the live move that makes the sum of the squares of fullness smallest, what it costs counted in, until all are near
 * the mean. No guest is stopped for it, none moves twice, and no wish that is kept now is broken. Nodes that are cordoned are somebody's work, and left to it. Each move makes that sum smaller, so
 * the end is never worse than the beginning, and no sequence of such plans comes back to where it was.
 * @throws KedgeError `bad-input` when the snapshot contradicts itself
 */
export function planBalance(snapshot: ClusterSnapshot, limits: BalanceLimits = DEFAULT_BALANCE_LIMITS, circumstances: BalanceCircumstances = {}): Plan {
  const state = new ClusterState(snapshot);
  const draft = new PlanDraft(state);
  const exhausted = new Set<NodeState>();
  const untouched = circumstances.untouched ?? new Set();
  const nodes = nodesOf(state).filter(({ node }) => !untouched.has(node.name));
  const costs = new Map(snapshot.guests.map((guest) => [guest, costOf(guest, circumstances.options ?? {})]));
  while (draft.moved().size < limits.maxMoves) {
    const mean = meanOf(state);
    const [fullest] = nodes.filter((each) => !exhausted.has(each)).sort(fullestFirst);
    if (fullest === undefined || levelOf(fullest) - mean < limits.tolerance) break;
    const best = bestMove(fullest, { state, draft, limits, nodes, costs });
    if (best === null) {
      exhausted.add(fullest);
      continue;
    }
    draft.move({ ...best, way: 'live', rejected: [] });
    // What it left behind may be the room that another node's guests lacked.
    exhausted.clear();
  }
  return draft.finish();
}

/** @throws KedgeError `bad-input` when the snapshot contradicts itself */
export function imbalanceOf(snapshot: ClusterSnapshot): Imbalance {
  const state = new ClusterState(snapshot);
  const [fullest] = [...nodesOf(state)].sort(fullestFirst);
  return { node: fullest?.node.name ?? null, fullness: fullest === undefined ? 0 : levelOf(fullest), mean: meanOf(state) };
}

export const excessOf = ({ fullness: full, mean }: Imbalance): number => full - mean;

interface Work {
  readonly state: ClusterState;
  readonly draft: PlanDraft;
  readonly limits: BalanceLimits;
  readonly nodes: readonly NodeState[];
  readonly costs: ReadonlyMap<SnapshotGuest, number>;
}

function bestMove(source: NodeState, { state, draft, limits, nodes, costs }: Work) {
  const moved = draft.moved();
  let best: { guest: SnapshotGuest; to: NodeState; gain: number; points: number } | null = null;
  for (const guest of state.guestsOf(source.node.name)) {
    if (moved.has(guest.vmid) || !guest.running || whyNotLive(guest, source.node) !== null || !('way' in movementOf(guest, source.node))) continue;
    const change = { bytes: memoryOf(guest), load: loadOf(guest) };
    const relief = levelOf(source) ** 2 - levelOf(source, { bytes: -change.bytes, load: -change.load }) ** 2 - (costs.get(guest) ?? 0);
    for (const to of nodes) {
      const gain = relief + levelOf(to) ** 2 - levelOf(to, change) ** 2;
      if (to === source || gain < limits.minGain || (best !== null && gain < best.gain)) continue;
      if (copiedDisks(guest, source.node, to.node).length > 0 || whyNotOn(state, { guest, way: 'live' }, to) !== null) continue;
      if (breaksKeptWish(state, { guest, way: 'live' }, { from: source.node.name, to: to.node.name })) continue;
      const { points } = weigh(state, { guest, way: 'live' }, to);
      if (best === null || gain > best.gain || points < best.points) best = { guest, to, gain, points };
    }
  }
  if (best === null) return null;
  const { guest, to } = best;
  const reason = `${source.node.name} is ${percent(levelOf(source))} full, ${to.node.name} ${percent(levelOf(to))}`;
  return { guest, to: to.node.name, reason };
}

/** Those that take guests. */
const nodesOf = (state: ClusterState): readonly NodeState[] => state.nodes().filter(({ node }) => node.state === 'online');

function meanOf(state: ClusterState): number {
  const nodes = nodesOf(state);
  return nodes.reduce((sum, each) => sum + levelOf(each), 0) / Math.max(1, nodes.length);
}

const levelOf = (state: NodeState, more?: Parameters<typeof fullness>[1]): number => Math.min(fullness(state, more), FULLEST);

function costOf(guest: SnapshotGuest, options: Partial<MigrationOptions>): number {
  return (expectedMs({ way: 'live', bytes: guest.memoryBytes }, guest, options) / 3_600_000) * HOUR_COST;
}

const fullestFirst = (left: NodeState, right: NodeState): number => levelOf(right) - levelOf(left) || compareNames(left.node.name, right.node.name);
