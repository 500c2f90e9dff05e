/**
 * DESIGN's in-doubt table as one pure, total function.
 *
 * A decision is one step: whoever performs it reads both sides again and asks again, until the answer is `settled`,
 * `superseded`, `guest-ended-on-target`, or one that only time, evidence or an operator can change. Every step is safe
 * to repeat. Performing a step still checks the record under the guest's flock, the claim, and (for every start) that
 * this boot of the node is registered: the table says what to do, never that a check may be left out.
 */
import type { InDoubt } from './in-doubt.js';
import type { InDoubtRow } from './in-doubt-row.js';
import { IN_DOUBT_TABLE } from './in-doubt-table.js';

/** What to do next. `by` in each comment is the node whose worker acts. */
export type Action =
  /** The copy or the switchover goes on: re-attach to it. */
  | { readonly do: 'continue' }
  /** Nothing but time helps: read again. */
  | { readonly do: 'wait' }
  /** By the source: out-of-band `yank` of the stream; read again, the source may run and the target be loaded. */
  | { readonly do: 'yank' }
  /** By the source: `migrate_cancel`; its answer says nothing, read again. */
  | { readonly do: 'cancel-stream' }
  /** By the source: `owned(g+2)`; the guest stays as it is, go is never sent; revoke now or before the next try. */
  | { readonly do: 'keep-on-source' }
  /** By the source: write what misses of `releasing`, arm, `released`, go. If any of it fails before `released`: take back. */
  | { readonly do: 'hand-over' }
  /** By the source: `owned(g+2)` fsynced, then `cont` if running is wanted. Its RAM is the guest's newest. */
  | { readonly do: 'take-back' }
  /** By the source: the record allows it already, `cont`. */
  | { readonly do: 'cont-on-source' }
  /** By the source: send go, again. */
  | { readonly do: 'go' }
  /** By the source or for it: revoke on the target, read the answer (`ran`). Refused by a target that owns the guest. */
  | { readonly do: 'revoke-target' }
  /**
   * By the source, in this order: its QEMU killed and its PID seen gone, `owned(g+2)` fsynced, start from disk if the guest
   * is not wanted stopped. The order matters: `postmigrate` under `owned(g+2)` always means "this RAM may be resumed".
   */
  | { readonly do: 'start-from-disk-on-source'; readonly memoryLost: true }
  /** By the target: `owned(g+1)` fsynced, then start from disk. */
  | { readonly do: 'start-from-disk-on-target'; readonly memoryLost: true }
  /** By the target: its loaded copy killed, `owned(g+3)` fsynced, then start from disk. */
  | { readonly do: 'take-over-on-target'; readonly memoryLost: true }
  /** By the target: it owns the guest, `cont`. */
  | { readonly do: 'cont-on-target' }
  /** By the target: the guest crashed or shut down under the target's ownership; its policy decides, the source never runs it. */
  | { readonly do: 'guest-ended-on-target' }
  /** By the target, alone: kill the QEMU that a revoked record still has. */
  | { readonly do: 'kill-target-copy' }
  /** The target has the guest: source QEMU quit and seen gone, its record a tombstone, its configuration removed. */
  | { readonly do: 'release-source' }
  /** Nothing is left to do for this migration. */
  | { readonly do: 'settled'; readonly at: 'source' | 'target' }
  /** The guest went on under a later generation: ask for that migration instead. */
  | { readonly do: 'superseded' }
  /** The invariant is broken: tell everybody, stop (never kill) only the named copy, keep all evidence. */
  | { readonly do: 'alarm'; readonly stop: 'none' | 'source' | 'target' }
  /** Evidence is complete and still no rule may choose: an operator must. */
  | { readonly do: 'needs-operator' }
  /** Unknown stays unknown: wait for evidence or an operator; start, resume and delete nothing. */
  | { readonly do: 'needs-evidence' };

/** An action with the row of the table that asks for it and the reason in words. */
export type Decision = Action & { readonly row: string; readonly because: string };

/** Decides the next step. Total: whatever no row lists is `needs-evidence`. */
export function decide(view: InDoubt): Decision {
  const row = IN_DOUBT_TABLE.find((candidate) => matches(candidate, view));
  if (row === undefined) {
    return { do: 'needs-evidence', row: 'not-listed', because: `No rule for: ${describe(view)}` };
  }
  return { ...row.action, row: row.id, because: row.because };
}

function matches(row: InDoubtRow, view: InDoubt): boolean {
  return (
    within(row.sourceQemu, view.sourceQemu) &&
    within(row.sourceRecord, view.sourceRecord) &&
    within(row.targetRecord, view.targetRecord) &&
    within(row.targetQemu, view.targetQemu) &&
    within(row.wanted, view.wanted) &&
    within(row.attempt, view.attempt) &&
    within(row.stream, view.stream) &&
    (row.frozen === undefined || row.frozen === view.frozen) &&
    (row.sharedDisks === undefined || row.sharedDisks === view.sharedDisks)
  );
}

function within<T>(allowed: readonly T[] | undefined, value: T): boolean {
  return allowed === undefined || allowed.includes(value);
}

function describe(view: InDoubt): string {
  return `source QEMU ${view.sourceQemu}, source record ${view.sourceRecord}, target record ${view.targetRecord}, target QEMU ${view.targetQemu}`;
}
