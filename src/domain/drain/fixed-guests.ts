import type { Vmid } from '../ids.js';
import type { ClusterSnapshot } from '../plan/snapshot.js';
import { banEndMs } from './banned-nodes.js';
import type { DrainQuestion } from './next-steps.js';
import type { Travel } from './plan-view.js';

/** A guest that is not planned for: now, or for all of this drain. `reason` null: it needs none, it is where its policy has it. */
export type Fixed = { readonly until: 'never'; readonly reason: string | null } | { readonly until: 'later'; readonly reason: string };

interface Grounds {
  readonly question: DrainQuestion;
  readonly foreign: readonly Travel[];
  readonly nowMs: number;
}

/** The guests that must not be planned for, and why. */
export function fixedGuests(snapshot: ClusterSnapshot, { question, foreign, nowMs }: Grounds): ReadonlyMap<Vmid, Fixed> {
  const { state, plan, node } = question;
  const fixed = new Map<Vmid, Fixed>();
  if (plan === 'restore') for (const { vmid } of snapshot.guests) banHome(vmid);
  for (const vmid of state.others) fixed.set(vmid, { until: 'later', reason: 'somebody else moves it' });
  for (const { vmid, to } of foreign) fixed.set(vmid, { until: 'later', reason: `somebody else moves it to ${to}` });
  for (const { vmid, reason } of state.givenUp) fixed.set(vmid, { until: 'never', reason });
  // One that shuts down may be off already, and would look like a guest that moves as it is.
  for (const vmid of [...state.shutDown, ...state.shuttingDown]) fixed.set(vmid, { until: 'never', reason: null });
  return fixed;

  /** There is no other node to try. */
  function banHome(vmid: Vmid): void {
    const endMs = banEndMs(state.failed, { vmid, to: node, retryMs: question.moveRetryMs });
    if (endMs <= nowMs) return;
    const reason = `its move home failed: ${state.failed.filter((each) => each.vmid === vmid).at(-1)?.reason ?? ''}`;
    fixed.set(vmid, endMs === Number.POSITIVE_INFINITY ? { until: 'never', reason } : { until: 'later', reason });
  }
}
