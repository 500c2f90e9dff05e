/** What a drain or an undrain remembers from one look at the cluster to the next, and over continue-as-new. Pure and plain JSON. */
import type { ErrorCode } from '../error-codes.js';
import type { EvacuatedGuest, FailedMove, StayedGuest } from '../evacuation.js';
import type { NodeName, Vmid } from '../ids.js';
import type { MoveWay } from '../plan/plan.js';

/** A move of ours that was begun. */
export interface DrainMove {
  readonly vmid: Vmid;
  readonly from: NodeName;
  readonly to: NodeName;
  readonly way: MoveWay;
}

export interface DrainState {
  readonly startedAt: string;
  readonly cancelled: boolean;
  readonly underWay: readonly DrainMove[];
  readonly shuttingDown: readonly Vmid[];
  readonly moved: readonly EvacuatedGuest[];
  readonly shutDown: readonly Vmid[];
  readonly failed: readonly FailedMove[];
  /** Guests that are not touched again, and why. */
  readonly givenUp: readonly StayedGuest[];
  /** Guests that somebody else was found to migrate: they are waited for. */
  readonly others: readonly Vmid[];
  /** Moves that have ended so lately that inventories may not show it; `at`: when, RFC 3339. */
  readonly settling: readonly (Pick<DrainMove, 'vmid' | 'from' | 'to'> & { readonly at: string })[];
  /** Looks in a row that found guests without a place and nothing that goes on. */
  readonly idleLooks: number;
}

/** Moves of one guest that may fail; then it is left where it is. */
const MOST_FAILURES = 6;
/** So often a drain moves one guest: to make room, to park it, and to its place. Somebody who always moves it back would keep the drain busy forever. */
const MOST_MOVES = 4;
/** After these another attempt would be against somebody's will, or can't end otherwise. */
const FINAL: readonly ErrorCode[] = ['cancelled', 'needs-operator', 'bad-input'];

export function newDrain(startedAt: string): DrainState {
  return {
    startedAt,
    cancelled: false,
    underWay: [],
    shuttingDown: [],
    moved: [],
    shutDown: [],
    failed: [],
    givenUp: [],
    others: [],
    settling: [],
    idleLooks: 0,
  };
}

export function moveBegun(state: DrainState, move: DrainMove): DrainState {
  return { ...state, underWay: [...state.underWay, move] };
}

/** `migration`: its id as users type it. */
export function moveDone(state: DrainState, move: DrainMove, { migration, at }: { migration: string; at: string }): DrainState {
  const { vmid, from, to } = move;
  const after: DrainState = {
    ...ended(state, vmid),
    moved: [...state.moved, { vmid, from, to, migration }],
    settling: [...state.settling.filter((each) => each.vmid !== vmid), { vmid, from, to, at }],
    idleLooks: 0,
  };
  if (after.moved.filter((each) => each.vmid === vmid).length < MOST_MOVES) return after;
  return giveUp(after, { vmid, reason: `it was moved ${MOST_MOVES} times already` });
}

/** The guest is where it was: it goes elsewhere next time, is waited for, or stays. */
export function moveFailed(state: DrainState, { vmid, to }: DrainMove, { code, reason, at }: Pick<FailedMove, 'code' | 'reason' | 'at'>): DrainState {
  const after = ended(state, vmid);
  if (code === 'already-migrating') return { ...after, others: [...after.others.filter((other) => other !== vmid), vmid] };
  // Its turn never came, because of the time or of a cancel: nothing has failed.
  if (code === 'too-late' || (code === 'cancelled' && state.cancelled)) return after;
  const failed = [...after.failed, { vmid, to, code, reason, at }];
  const count = failed.filter((each) => each.vmid === vmid).length;
  if (FINAL.includes(code)) return giveUp({ ...after, failed }, { vmid, reason: `its move to ${to} ended, and is not tried again: ${reason}` });
  if (count >= MOST_FAILURES) return giveUp({ ...after, failed }, { vmid, reason: `its moves failed ${count} times, the last one to ${to}: ${reason}` });
  return { ...after, failed };
}

export function shutDownBegun(state: DrainState, vmid: Vmid): DrainState {
  return { ...state, shuttingDown: [...state.shuttingDown, vmid] };
}

/** `failure` null: it is off. */
export function shutDownEnded(state: DrainState, vmid: Vmid, failure: string | null): DrainState {
  const after = { ...state, shuttingDown: state.shuttingDown.filter((each) => each !== vmid) };
  if (failure === null) return { ...after, shutDown: [...after.shutDown, vmid], idleLooks: 0 };
  return giveUp(after, { vmid, reason: `it was to be shut down, and runs on: ${failure}` });
}

function ended(state: DrainState, vmid: Vmid): DrainState {
  return { ...state, underWay: state.underWay.filter((move) => move.vmid !== vmid) };
}

function giveUp(state: DrainState, guest: StayedGuest): DrainState {
  return { ...state, givenUp: [...state.givenUp.filter(({ vmid }) => vmid !== guest.vmid), guest] };
}
