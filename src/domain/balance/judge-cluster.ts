/** When the balancer begins a round: the policy loop's decision. Pure and plain JSON. */
import { newDrain } from '../drain/drain-state.js';
import type { StayedGuest } from '../evacuation.js';
import { formatDuration } from '../format-duration.js';
import type { Vmid } from '../ids.js';
import { DEFAULT_BALANCE_LIMITS, excessOf, imbalanceOf } from '../plan/plan-balance.js';
import type { ClusterSnapshot } from '../plan/snapshot.js';
import type { BalanceClusterInput, BalanceReport, BalanceView } from './balance.js';
import { asRemembered, placesOf, remember, type LoadMemory } from './load-memory.js';
import type { OpenBlackout } from '../window/blackout.js';
import { nextBalance, type BalanceSteps } from './next-balance.js';

/** What `balance` of kedge.yaml says; where it is off there is none. */
export interface BalancePolicy {
  /** Between two looks. */
  readonly intervalMs: number;
  /** So far back loads count; nothing is begun before the balancer has looked for so long. */
  readonly historyMs: number;
  /** A round begins when the fullest node is so much above the mean, 0 to 1, */
  readonly beginAbove: number;
  /** and goes on until none is so much above it. */
  readonly stopBelow: number;
  /** A guest that has moved, whoever moved it, or whose move failed, is left alone for so long. */
  readonly cooldownMs: number;
  readonly maxMoves: number;
  readonly parallel: number;
  /** Rounds begin only inside of these; empty: at any time. */
  readonly onlyIn: readonly BalanceTimes[];
}

/** Occurrences of local times, as those of a maintenance window. */
export interface BalanceTimes {
  readonly zone: string;
  readonly start: string;
  readonly rule: string | null;
  readonly durationMs: number;
}

export interface Cooling {
  readonly vmid: Vmid;
  readonly untilMs: number;
  readonly reason: string;
}

/** What the balancer remembers from one look to the next. */
export interface BalancerState {
  readonly memory: LoadMemory | null;
  readonly cooling: readonly Cooling[];
}

export const NEW_BALANCER: BalancerState = { memory: null, cooling: [] };

/** What it sees of the cluster. */
export interface BalancerSight {
  readonly snapshot: ClusterSnapshot;
  readonly nowMs: number;
  /** Until when the times allow rounds, RFC 3339; null: without end; `closed`: not now. */
  readonly open: { readonly until: string | null } | 'closed';
  /** Does a balance run? */
  readonly isRunning: boolean;
  /** The last balance, whoever began it; null: none is known. */
  readonly last: (Pick<BalanceView, 'endedAt' | 'failure'> & { readonly report: Pick<BalanceReport, 'failed' | 'end'> | null }) | null;
  /** Migrations under way. */
  readonly travels: number;
  /** Those that are on. */
  readonly blackouts: readonly OpenBlackout[];
}

export interface BalancerLook {
  readonly state: BalancerState;
  /** Null: not now. */
  readonly round: BalanceClusterInput | null;
  /** Why, or why not. */
  readonly text: string;
}

/** Takes a look in and decides whether a round begins. */
export function judgeCluster(before: BalancerState, sight: BalancerSight, policy: BalancePolicy): BalancerLook {
  const { snapshot, nowMs } = sight;
  const memory = remember(before.memory, snapshot, { nowMs, fadeMs: policy.historyMs });
  const cooling = coolingAfter(before, sight, policy);
  const state: BalancerState = { memory, cooling };
  const not = (text: string): BalancerLook => ({ state, round: null, text });
  const lookedMs = memory.atMs - memory.sinceMs;
  if (lookedMs < policy.historyMs) return not(`has looked for ${formatDuration(lookedMs)}, begins nothing before ${formatDuration(policy.historyMs)}`);
  const view = asRemembered(snapshot, memory);
  const imbalance = imbalanceOf(view);
  if (imbalance.node === null) return not('no node takes guests');
  const uneven = `${imbalance.node} is ${percent(imbalance.fullness)} full, the mean is ${percent(imbalance.mean)}`;
  if (excessOf(imbalance) < policy.beginAbove) return not(`${uneven}: even enough`);
  if (sight.isRunning) return not(`${uneven}: a balance runs`);
  if (sight.open === 'closed') return not(`${uneven}: waits for its times`);
  if (sight.travels > 0) return not(`${uneven}: waits until the ${sight.travels} migrations under way have ended`);
  const rest = restOf(sight, policy);
  if (rest !== null) return not(`${uneven}: ${rest}`);
  const leave = cooling.map(({ vmid, reason }) => ({ vmid, reason }));
  const { until } = sight.open;
  const { moves, late, quiet = [] } = firstSteps(sight, { policy, memory, leave, until });
  const [held] = quiet;
  if (held !== undefined) return not(`${uneven}: ${held.reason}`);
  if (moves.length === 0) return not(`${uneven}: ${late.length > 0 ? 'the time left is too short for a move' : 'no move is worth its cost, or allowed'}`);
  const round: BalanceClusterInput = {
    requestedBy: 'the balancer',
    maxMoves: policy.maxMoves,
    tolerance: policy.stopBelow,
    parallel: policy.parallel,
    leave,
    memory,
    ...(until === null ? {} : { until }),
  };
  return { state, round, text: `${uneven}: begins a round` };
}

/** After a balance that somebody ended, or in which something was wrong, none begins for a while. In words; null: one may begin. */
function restOf({ last, nowMs }: BalancerSight, { cooldownMs }: BalancePolicy): string | null {
  if (last === null || last.endedAt === null) return null;
  const leftMs = Date.parse(last.endedAt) + cooldownMs - nowMs;
  const how = howItEnded(last);
  return how === null || leftMs <= 0 ? null : `the last balance ${how}, none begins for ${formatDuration(leftMs)}`;
}

/** Null: well enough. */
function howItEnded({ failure, report }: NonNullable<BalancerSight['last']>): string | null {
  if (failure !== null) return `failed (${failure})`;
  if (report?.end === 'cancelled') return 'was cancelled';
  return report?.end === 'failing' ? 'was given up, its moves failed' : null;
}

interface FirstSteps {
  readonly policy: BalancePolicy;
  readonly memory: LoadMemory;
  readonly leave: readonly StayedGuest[];
  readonly until: string | null;
}

/** What the round would begin with: one that could do nothing is not begun, again and again. */
function firstSteps({ snapshot, nowMs, blackouts }: BalancerSight, { policy, memory, leave, until }: FirstSteps): BalanceSteps {
  const now = new Date(nowMs).toISOString();
  const { parallel, maxMoves, stopBelow } = policy;
  const limits = { ...DEFAULT_BALANCE_LIMITS, tolerance: stopBelow, maxMoves };
  return nextBalance(snapshot, [], { state: newDrain(now), limits, parallel, now, until, leave, memory, options: {}, moveRetryMs: 0, lagMs: 0, blackouts });
}

/** Who moved since the sample before, by whomever, and whose move failed in the last balance, is left alone; those whose time is over no more. */
function coolingAfter(before: BalancerState, { snapshot, nowMs, last }: BalancerSight, { cooldownMs }: BalancePolicy): readonly Cooling[] {
  const places = before.memory === null ? new Map<Vmid, string>() : placesOf(before.memory);
  const moved = snapshot.guests.flatMap(({ vmid, node }): readonly Cooling[] => {
    const place = places.get(vmid);
    return place === undefined || place === node ? [] : [{ vmid, untilMs: nowMs + cooldownMs, reason: `it moved from ${place} to ${node} a while ago` }];
  });
  const failed = (last?.report?.failed ?? []).map(
    ({ vmid, at, reason }): Cooling => ({ vmid, untilMs: Date.parse(at) + cooldownMs, reason: `its move failed: ${reason}` }),
  );
  const latest = new Map<Vmid, Cooling>();
  for (const each of [...before.cooling, ...failed, ...moved]) {
    const known = latest.get(each.vmid);
    if (each.untilMs > nowMs && (known === undefined || known.untilMs < each.untilMs)) latest.set(each.vmid, each);
  }
  return [...latest.values()];
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
