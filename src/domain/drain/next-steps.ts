import type { EvacuationReport, StayedGuest } from '../evacuation.js';
import { formatDuration } from '../format-duration.js';
import type { NodeName, Vmid } from '../ids.js';
import { DEFAULT_MIGRATION_OPTIONS, type MigrationOptions } from '../migration.js';
import { planEvacuation } from '../plan/plan-evacuation.js';
import { planRestore } from '../plan/plan-restore.js';
import type { Unplanned } from '../plan/plan.js';
import type { ClusterSnapshot, NotLivePolicy, SnapshotGuest } from '../plan/snapshot.js';
import { blackoutOf, type OpenBlackout } from '../window/blackout.js';
import { banEndMs, bannedNodes } from './banned-nodes.js';
import type { DrainMove, DrainState } from './drain-state.js';
import { expectedMs } from './expected-ms.js';
import { fixedGuests, type Fixed } from './fixed-guests.js';
import { isBan, planView, type Travel } from './plan-view.js';

/** What a drain asks before it acts; plain JSON. */
export interface DrainQuestion {
  readonly plan: EvacuationReport['plan'];
  readonly node: NodeName;
  readonly state: DrainState;
  /** Moves at a time. */
  readonly parallel: number;
  /** RFC 3339. */
  readonly now: string;
  readonly until: string | null;
  /** What becomes of guests that would wait; null: they are waited for. */
  readonly force: NotLivePolicy | null;
  readonly options: Partial<MigrationOptions>;
  readonly moveRetryMs: number;
  /** An inventory may be so old. */
  readonly lagMs: number;
  /** Those that are on; who answers the question adds them. */
  readonly blackouts?: readonly OpenBlackout[];
}

/** A move to begin now. `leavesHome`: the guest belongs to the node that is emptied, and is to come back one day. */
export interface NextMove extends DrainMove {
  readonly leavesHome: boolean;
  /** RFC 3339. Begun later it would end too late; absent: there is no limit. */
  readonly notAfter?: string;
}

/** What to do now, and why not more. */
export interface NextSteps {
  readonly moves: readonly NextMove[];
  readonly shutDowns: readonly Vmid[];
  /** Their turn comes when others have ended. */
  readonly later: readonly StayedGuest[];
  /** Something else must happen first: their policy, a migration of somebody else, a pause after a failure. */
  readonly waiting: readonly StayedGuest[];
  /** No node takes them as things are. */
  readonly stuck: readonly StayedGuest[];
  /** They stay, whatever happens. */
  readonly stays: readonly StayedGuest[];
  /** Their moves would end too late. */
  readonly late: readonly StayedGuest[];
  /** Has the snapshot yet to show a move that has ended? */
  readonly lags: boolean;
  /** RFC 3339. What waits waits for the end of a blackout, the first of which ends then. Null, or absent: for something else too. */
  readonly quietUntil?: string | null;
}

type Draft = { -readonly [Name in keyof NextSteps]: NextSteps[Name] extends readonly (infer Item)[] ? Item[] : NextSteps[Name] };

/**
 * Decides what a drain or an undrain does next, from a fresh snapshot: what was planned before does not count, only what is under way and what failed. Never
 * names a guest that is on its way already, nor more moves than the window has room for, nor one that another move has to precede. `others`: migrations
 * that somebody else began.
 * @throws KedgeError `bad-input` when the snapshot has no such node, or contradicts itself
 */
export function nextSteps(snapshot: ClusterSnapshot, others: readonly Travel[], question: DrainQuestion): NextSteps {
  const { plan: kind, node, state, now } = question;
  const nowMs = Date.parse(now);
  const guests = new Map(snapshot.guests.map((guest) => [guest.vmid, guest]));
  const ours = new Set(state.underWay.map(({ vmid }) => vmid));
  const foreign = others.filter(({ vmid }) => !ours.has(vmid));
  const arrived = state.settling.filter(({ vmid, from, at }) => guests.get(vmid)?.node === from && nowMs - Date.parse(at) < question.lagMs);
  const fixed = fixedGuests(snapshot, { question, foreign, nowMs });
  const view = planView(snapshot, {
    travels: [...state.underWay, ...foreign],
    arrived,
    closed: kind === 'evacuate' ? node : null,
    fixed: new Set(fixed.keys()),
    banned: kind === 'evacuate' ? bannedNodes(state.failed, { nowMs, retryMs: question.moveRetryMs }) : new Map(),
    force: question.force,
  });
  const plan = kind === 'evacuate' ? planEvacuation(view.snapshot, [node]) : planRestore(view.snapshot, [node]);
  const steps: Draft = { moves: [], shutDowns: [], later: [], waiting: [], stuck: [], stays: [], late: [], lags: arrived.length > 0, quietUntil: null };
  const quietEnds: string[] = [];
  const free = (): number => question.parallel - state.underWay.length - state.shuttingDown.length - steps.moves.length - steps.shutDowns.length;

  for (const unplanned of plan.unplanned) {
    if (view.ghosts.has(unplanned.vmid) || ours.has(unplanned.vmid) || state.shuttingDown.includes(unplanned.vmid)) continue;
    if (unplanned.outcome === 'shut-down' && !fixed.has(unplanned.vmid)) shutDown(unplanned);
    else leave(unplanned, { steps, fixed: fixed.get(unplanned.vmid), question, nowMs, pinned: guests.get(unplanned.vmid)?.pinned === true });
  }
  for (const travel of foreign) {
    const leaves = kind === 'evacuate' ? travel.from === node && guests.get(travel.vmid)?.node === node : guests.get(travel.vmid)?.home === node;
    if (leaves && !steps.waiting.some(({ vmid }) => vmid === travel.vmid)) {
      steps.waiting.push({ vmid: travel.vmid, reason: `somebody else moves it to ${travel.to}` });
    }
  }
  for (const move of plan.moves) {
    const guest = guests.get(move.vmid);
    if (guest === undefined || ours.has(move.vmid)) continue;
    const { vmid, from, to, way } = move;
    const spanMs = expectedMs(move, guest, question.options);
    const tookTooLong = tooLate(spanMs);
    if (move.after.length > 0) steps.later.push({ vmid, reason: `other moves have to end before it goes to ${to}` });
    else if (isQuiet(vmid, [from, to])) continue;
    else if (tookTooLong !== null) steps.late.push({ vmid, reason: `its move to ${to} ${tookTooLong}` });
    else if (free() <= 0) steps.later.push({ vmid, reason: `it goes to ${to} when others have moved` });
    else steps.moves.push({ vmid, from, to, way, leavesHome: leavesHome(guest, question), ...latestBegin(question.until, spanMs) });
  }
  steps.quietUntil = quietEnds.length > 0 && quietEnds.length === steps.waiting.length ? (quietEnds.sort()[0] ?? null) : null;
  return steps;

  /** What a blackout concerns waits for its end, without failing. */
  function isQuiet(vmid: Vmid, nodes: readonly NodeName[]): boolean {
    const blackout = question.options.ignoreBlackout === true ? null : blackoutOf(question.blackouts ?? [], { vmid, nodes });
    if (blackout === null) return false;
    steps.waiting.push({ vmid, reason: `blackout ${blackout.name} is on until ${blackout.endsAt}` });
    quietEnds.push(blackout.endsAt);
    return true;
  }

  function shutDown({ vmid }: Unplanned): void {
    if (isQuiet(vmid, [node])) return;
    const tookTooLong = tooLate(question.options.shutdownTimeoutMs ?? DEFAULT_MIGRATION_OPTIONS.shutdownTimeoutMs);
    if (tookTooLong !== null) steps.late.push({ vmid, reason: `its shutdown ${tookTooLong}` });
    else if (free() <= 0) steps.later.push({ vmid, reason: 'it is shut down when others have moved' });
    else steps.shutDowns.push(vmid);
  }

  function tooLate(spanMs: number): string | null {
    if (question.until === null || nowMs + spanMs <= Date.parse(question.until)) return null;
    return `may take ${formatDuration(spanMs)}, longer than until ${question.until}`;
  }
}

/** When a move of this length may begin at the latest. */
export const latestBegin = (until: string | null, spanMs: number): Pick<NextMove, 'notAfter'> =>
  until === null ? {} : { notAfter: new Date(Date.parse(until) - spanMs).toISOString() };

interface Leaving {
  readonly steps: Draft;
  readonly fixed: Fixed | undefined;
  readonly question: DrainQuestion;
  readonly nowMs: number;
  readonly pinned: boolean;
}

/** Why a guest that has no move is where it is, and whether that may change. */
function leave({ vmid, outcome, reason, rejected }: Unplanned, { steps, fixed, question, nowMs, pinned }: Leaving): void {
  if (fixed !== undefined) {
    if (fixed.until === 'never') {
      if (fixed.reason !== null) steps.stays.push({ vmid, reason: fixed.reason });
    } else steps.waiting.push({ vmid, reason: fixed.reason });
    return;
  }
  if (outcome === 'wait') {
    steps.waiting.push({ vmid, reason });
    return;
  }
  const reasons = rejected.map((each) => `${each.node}: ${isBan(each.reason, vmid) ? failureAt(question.state, vmid, each.node) : each.reason}`);
  const told = { vmid, reason: [reason, ...reasons].join('; ') };
  const opensMs = rejected.map((each) =>
    isBan(each.reason, vmid) ? banEndMs(question.state.failed, { vmid, to: each.node, retryMs: question.moveRetryMs }) : 0,
  );
  if (opensMs.some((endMs) => endMs > nowMs && endMs < Number.POSITIVE_INFINITY)) steps.waiting.push(told);
  // A node that is full, cordoned or silent now may not be so later, nor a guest hard to move; a pinned one stays pinned.
  else if (pinned) steps.stays.push(told);
  else steps.stuck.push(told);
}

function failureAt({ failed }: DrainState, vmid: Vmid, node: NodeName): string {
  const last = failed.filter((each) => each.vmid === vmid && each.to === node).at(-1);
  return `its move there failed: ${last?.reason ?? 'for a reason that is not known'}`;
}

/** A guest that was on its way home already belongs elsewhere. */
const leavesHome = ({ node, home }: SnapshotGuest, question: DrainQuestion): boolean => question.plan === 'evacuate' && node === question.node && home === null;
