import { bannedNodes } from '../drain/banned-nodes.js';
import type { DrainState } from '../drain/drain-state.js';
import { expectedMs } from '../drain/expected-ms.js';
import { latestBegin, type NextMove } from '../drain/next-steps.js';
import { planView, type Travel } from '../drain/plan-view.js';
import type { StayedGuest } from '../evacuation.js';
import { formatDuration } from '../format-duration.js';
import type { NodeName, Vmid } from '../ids.js';
import type { MigrationOptions } from '../migration.js';
import { excessOf, imbalanceOf, planBalance, type BalanceLimits } from '../plan/plan-balance.js';
import type { Plan, PlannedMove, Unplanned } from '../plan/plan.js';
import type { ClusterSnapshot, SnapshotGuest } from '../plan/snapshot.js';
import { blackoutOf, type OpenBlackout } from '../window/blackout.js';
import { asRemembered, remember, type LoadMemory } from './load-memory.js';

/** What a balance asks before it acts; plain JSON. Asked only while no move of its own is under way. */
export interface BalanceQuestion {
  readonly state: DrainState;
  /** `maxMoves`: of the whole. */
  readonly limits: BalanceLimits;
  readonly parallel: number;
  /** RFC 3339. */
  readonly now: string;
  readonly until: string | null;
  readonly leave: readonly StayedGuest[];
  /** Null: the loads of this moment, which the answer then has. */
  readonly memory: LoadMemory | null;
  readonly options: Partial<MigrationOptions>;
  readonly moveRetryMs: number;
  /** An inventory may be so old. */
  readonly lagMs: number;
  /** Those that are on; who answers the question adds them. */
  readonly blackouts?: readonly OpenBlackout[];
}

export interface BalanceSteps {
  /** They may run at the same time. */
  readonly moves: readonly NextMove[];
  /** Their moves would end too late. */
  readonly late: readonly StayedGuest[];
  /** Moves that would follow if it were not for a blackout; only where nothing else follows. Absent from an older control worker. */
  readonly quiet?: readonly StayedGuest[];
  /** Has the snapshot yet to show a move that has ended? Nothing is planned then. */
  readonly lags: boolean;
  /** Fullness of each node now, and of the fullest one above the mean. */
  readonly nodes: readonly { readonly node: NodeName; readonly now: number }[];
  readonly excess: number;
  /** Null: the question had it. */
  readonly memory: LoadMemory | null;
}

/**
 * Decides which moves of a balance come next, from a fresh snapshot and the loads of its beginning.
 *
 * A guest on its way counts at both ends, which is safe for a drain and tells the wrong thing about balance: so the next moves are planned when all that were
 * begun have ended and the snapshot shows it, and nodes that other migrations touch are left alone. Those moves of the plan are answered that may run at the same
 * time, and each of which is right also if another of them fails.
 * @throws KedgeError `bad-input` when the snapshot contradicts itself
 */
export function nextBalance(snapshot: ClusterSnapshot, others: readonly Travel[], question: BalanceQuestion): BalanceSteps {
  const { state, limits, options, parallel } = question;
  const nowMs = Date.parse(question.now);
  const lags = state.settling.some(({ vmid, from, to, at }) => nowMs - Date.parse(at) < question.lagMs && !hasSettled(snapshot, { vmid, from, to }));
  const memory = question.memory ?? remember(null, snapshot, { nowMs, fadeMs: 1 });
  const left = lags || isFailing(state, limits) ? 0 : limits.maxMoves - state.moved.length;
  const remembered = asRemembered(snapshot, memory);
  const blackouts = options.ignoreBlackout === true ? [] : (question.blackouts ?? []);
  const look = (open: readonly OpenBlackout[]) => {
    const made = makePlan(remembered, { question, others, open, maxMoves: left });
    return { ...made, ...begin(made.plan.moves, { snapshot, question }) };
  };
  const { view, plan, moves, late } = look(blackouts);
  return {
    moves: moves.slice(0, parallel),
    late,
    quiet: moves.length + late.length > 0 || blackouts.length === 0 ? [] : look([]).moves.flatMap((move) => quietOf(move, blackouts)),
    lags,
    nodes: plan.nodes.map(({ node, before }) => ({ node, now: before })),
    excess: excessOf(imbalanceOf(view)),
    memory: question.memory === null ? memory : null,
  };
}

/**
 * What a balance that begins now would do if each of its moves succeeded: for who only wants to see it. What may not move because of the time is told
 * as what stays.
 * @throws KedgeError `bad-input` when the snapshot contradicts itself
 */
export function previewBalance(snapshot: ClusterSnapshot, others: readonly Travel[], question: BalanceQuestion): Plan {
  const nowMs = Date.parse(question.now);
  const remembered = asRemembered(snapshot, question.memory ?? remember(null, snapshot, { nowMs, fadeMs: 1 }));
  const open = question.options.ignoreBlackout === true ? [] : (question.blackouts ?? []);
  const guests = new Map(snapshot.guests.map((guest): [Vmid, SnapshotGuest] => [guest.vmid, guest]));
  const stays: Unplanned[] = [];
  for (let leave = question.leave; ; ) {
    const { plan } = makePlan(remembered, { question: { ...question, leave }, others, open, maxMoves: question.limits.maxMoves });
    const late = plan.moves.flatMap(({ vmid, from, ...move }): readonly Unplanned[] => {
      const guest = guests.get(vmid);
      const reason = guest === undefined ? null : whyLate({ ...move, spanMs: expectedMs(move, guest, question.options) }, question);
      return reason === null ? [] : [{ vmid, node: from, outcome: 'wait', reason, rejected: [] }];
    });
    stays.push(...late);
    if (late.length === 0) return { ...plan, unplanned: [...plan.unplanned, ...stays] };
    leave = [...leave, ...late];
  }
}

function whyLate({ to, spanMs }: { to: NodeName; spanMs: number }, { now, until }: Pick<BalanceQuestion, 'now' | 'until'>): string | null {
  if (until === null || Date.parse(now) + spanMs <= Date.parse(until)) return null;
  return `its move to ${to} may take ${formatDuration(spanMs)}, longer than until ${until}`;
}

interface Making {
  readonly question: BalanceQuestion;
  readonly others: readonly Travel[];
  readonly open: readonly OpenBlackout[];
  readonly maxMoves: number;
}

/** `remembered`: with the loads to go by. */
function makePlan(remembered: ClusterSnapshot, { question, others, open, maxMoves }: Making): { readonly view: ClusterSnapshot; readonly plan: Plan } {
  const { fixed, banned, untouched } = heldBack(remembered, { question, nowMs: Date.parse(question.now), open });
  const view = planView(remembered, { travels: [], arrived: [], closed: null, fixed, banned, force: null }).snapshot;
  const touched = others.flatMap(({ from, to }) => [from, to]);
  const { limits, options } = question;
  return { view, plan: planBalance(view, { ...limits, maxMoves }, { untouched: new Set([...touched, ...untouched]), options }) };
}

function quietOf({ vmid, from, to }: NextMove, blackouts: readonly OpenBlackout[]): readonly StayedGuest[] {
  const blackout = blackoutOf(blackouts, { vmid, nodes: [from, to] });
  return blackout === null ? [] : [{ vmid, reason: `blackout ${blackout.name} is on until ${blackout.endsAt}` }];
}

interface HeldBack {
  readonly fixed: ReadonlySet<Vmid>;
  readonly banned: ReadonlyMap<Vmid, ReadonlySet<NodeName>>;
  readonly untouched: readonly NodeName[];
}

/** Guests and nodes that are left alone, and where guests may not go: by what the balance remembers, and by the blackouts that are on. */
function heldBack(snapshot: ClusterSnapshot, { question, nowMs, open }: { question: BalanceQuestion; nowMs: number; open: readonly OpenBlackout[] }): HeldBack {
  const fixed = new Set(leftAlone(snapshot, question));
  const banned = new Map(bannedNodes(question.state.failed, { nowMs, retryMs: question.moveRetryMs }));
  for (const { nodes, guests } of open) {
    if (guests === null && nodes !== null) continue;
    for (const { vmid, node } of snapshot.guests) {
      if (guests?.includes(vmid) === false) continue;
      if (nodes === null || nodes.includes(node)) fixed.add(vmid);
      else banned.set(vmid, new Set([...(banned.get(vmid) ?? []), ...nodes]));
    }
  }
  return { fixed, banned, untouched: open.flatMap(({ nodes, guests }) => (guests === null ? (nodes ?? []) : [])) };
}

/** So many moves may fail in any case. */
const LEAST_FAILURES = 3;

/** Have so many moves failed that something else must be wrong? */
export function isFailing({ failed }: DrainState, { maxMoves }: BalanceLimits): boolean {
  return failed.length >= Math.max(LEAST_FAILURES, maxMoves);
}

/** Guests that this balance does not move, or not again. One that is away from a node that takes no guests now will be brought home: to move it is wasted. */
function leftAlone({ guests, nodes }: ClusterSnapshot, { state, leave }: BalanceQuestion): ReadonlySet<Vmid> {
  const closed = new Set(nodes.filter((node) => node.state !== 'online').map(({ name }) => name));
  const visitors = guests.filter(({ home }) => home !== null && closed.has(home));
  return new Set([...[...state.moved, ...state.givenUp, ...leave, ...visitors].map(({ vmid }) => vmid), ...state.others]);
}

function hasSettled({ guests }: ClusterSnapshot, { vmid, from }: Travel): boolean {
  const guest = guests.find((each) => each.vmid === vmid);
  return guest !== undefined && guest.node !== from && guest.unmovable === undefined;
}

interface Grounds {
  readonly snapshot: ClusterSnapshot;
  readonly question: BalanceQuestion;
}

/** The first moves of the plan that neither wait for another one nor count on it: none leaves a node that another fills, or the other way round. */
function begin(planned: readonly PlannedMove[], { snapshot, question }: Grounds): { moves: readonly NextMove[]; late: readonly StayedGuest[] } {
  const guests = new Map(snapshot.guests.map((guest): [Vmid, SnapshotGuest] => [guest.vmid, guest]));
  const moves: NextMove[] = [];
  const late: StayedGuest[] = [];
  for (const move of planned) {
    const { vmid, from, to, way, after } = move;
    const guest = guests.get(vmid);
    if (guest === undefined || after.length > 0 || moves.some((other) => other.from === to || other.to === from)) break;
    const spanMs = expectedMs(move, guest, question.options);
    const reason = whyLate({ to, spanMs }, question);
    if (reason === null) moves.push({ vmid, from, to, way, leavesHome: false, ...latestBegin(question.until, spanMs) });
    else late.push({ vmid, reason });
  }
  return { moves, late };
}
