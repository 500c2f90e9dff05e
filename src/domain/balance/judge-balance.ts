import type { DrainPauses } from '../drain/judge-drain.js';
import type { DrainState } from '../drain/drain-state.js';
import type { BalanceLimits } from '../plan/plan-balance.js';
import type { BalanceEnd } from './balance.js';
import { isFailing, type BalanceSteps } from './next-balance.js';

/** `lookAfterMs` null: until all that was begun has ended. */
export type BalanceVerdict = { readonly do: 'wait'; readonly lookAfterMs: number | null } | { readonly do: 'end'; readonly end: BalanceEnd };

/** Judges what follows once the moves of a look were begun; `state` is that of afterwards. */
export function judgeBalance(steps: BalanceSteps, state: DrainState, { limits, pauses }: { limits: BalanceLimits; pauses: DrainPauses }): BalanceVerdict {
  const end = (how: BalanceEnd): BalanceVerdict => ({ do: 'end', end: how });
  if (state.underWay.length > 0) return { do: 'wait', lookAfterMs: null };
  if (state.cancelled) return end('cancelled');
  if (steps.lags) return { do: 'wait', lookAfterMs: pauses.lookAgainMs };
  if (isFailing(state, limits)) return end('failing');
  // Each of those that could not begin has been noted, and is not planned again.
  if (steps.moves.length > 0) return { do: 'wait', lookAfterMs: pauses.lookAgainMs };
  if (steps.excess < limits.tolerance) return end('done');
  if (state.moved.length >= limits.maxMoves) return end('most-moves');
  if (steps.quiet !== undefined && steps.quiet.length > 0) return end('blackout');
  return end(steps.late.length > 0 ? 'out-of-time' : 'no-better');
}
