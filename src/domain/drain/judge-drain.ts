import type { EvacuationEnd, StayedGuest } from '../evacuation.js';
import type { DrainState } from './drain-state.js';
import type { NextSteps } from './next-steps.js';

/** `lookAfterMs` null: what ends will be heard of. */
export type DrainVerdict =
  | { readonly do: 'wait'; readonly lookAfterMs: number | null; readonly idle: boolean }
  | { readonly do: 'end'; readonly end: EvacuationEnd; readonly stayed: readonly StayedGuest[] };

/** A blackout that is taken out of kedge.yaml is noticed after so long. */
const LONGEST_QUIET_MS = 600_000;

export interface DrainPauses {
  readonly drainLookMs: number;
  readonly lookAgainMs: number;
}

/** So many looks in a row may find nothing but guests without a place, until the drain ends: another node may be uncordoned, or come back. */
const IDLE_LOOKS = 3;

interface Judging {
  readonly timeIsUp: boolean;
  readonly pauses: DrainPauses;
  /** How long nothing but blackouts is waited for; null: there is something else. */
  readonly quietMs?: number | null;
}

/** Judges what follows once the steps of a look were begun; `state` is that of afterwards. */
export function judgeDrain(steps: NextSteps, state: DrainState, { timeIsUp, pauses, quietMs = null }: Judging): DrainVerdict {
  const { later, waiting, stuck, stays, late, lags } = steps;
  const wait = (lookAfterMs: number | null, idle = false): DrainVerdict => ({ do: 'wait', lookAfterMs, idle });
  const busy = state.underWay.length + state.shuttingDown.length > 0;
  if (state.cancelled) return busy ? wait(null) : end('cancelled');
  if (busy) return wait(waiting.length > 0 && !timeIsUp ? pauses.drainLookMs : null);
  if (lags) return wait(pauses.lookAgainMs);
  const unbegun = steps.moves.length + steps.shutDowns.length > 0;
  if (!unbegun && waiting.length > 0 && !timeIsUp && quietMs !== null) return wait(Math.max(pauses.drainLookMs, Math.min(quietMs, LONGEST_QUIET_MS)));
  if ((unbegun || waiting.length > 0) && !timeIsUp) return wait(pauses.drainLookMs);
  if (unbegun || waiting.length > 0 || late.length > 0 || later.length > 0) return end('out-of-time');
  if (stuck.length > 0 && !timeIsUp && state.idleLooks < IDLE_LOOKS) return wait(pauses.drainLookMs, true);
  return stuck.length + stays.length > 0 ? end('some-stayed') : end('done');

  function end(how: EvacuationEnd): DrainVerdict {
    const unbegunGuests = [...steps.moves.map(({ vmid }) => vmid), ...steps.shutDowns].map((vmid) => ({ vmid, reason: 'its turn had not come' }));
    return { do: 'end', end: how, stayed: [...stays, ...stuck, ...waiting, ...late, ...later, ...unbegunGuests] };
  }
}
