import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, type ChildWorkflowHandle } from '@temporalio/workflow';
import { moveBegun, moveDone, moveFailed, shutDownBegun, shutDownEnded, type DrainMove } from '../src/domain/drain/drain-state.js';
import type { NextMove } from '../src/domain/drain/next-steps.js';
import type { ErrorCode } from '../src/domain/error-codes.js';
import type { Vmid } from '../src/domain/ids.js';
import { isRecord } from '../src/domain/is-record.js';
import { DEFAULT_MIGRATION_OPTIONS, type MigrateGuestInput, type MigrationOptions } from '../src/domain/migration.js';
import type { MoveWay } from '../src/domain/plan/plan.js';
import { readFailure } from '../src/domain/read-failure.js';
import { guestCommandWorkflowId, migrationWorkflowId, SEARCH_ATTRIBUTES } from '../src/domain/workflow-names.js';
import type { DrainDesk } from './drain-desk.js';
import { manageGuest } from './manage-guest.js';
import { stopWaitingSignal } from './messages.js';
import { migrateGuest } from './migrate-guest.js';
import type { MovesDesk } from './moves-desk.js';
import { workflowInstant } from './workflow-time.js';

/** An execution of its own: it goes on to its end whatever becomes of the drain. The task timeout is that of src/client/control-start.ts. */
const CHILD = { parentClosePolicy: ParentClosePolicy.ABANDON, workflowTaskTimeout: '3 seconds', workflowIdReusePolicy: 'ALLOW_DUPLICATE' } as const;

/** Live, or as it is: a guest that was started or stopped since the snapshot is refused rather than moved in another way. */
const WAYS: Readonly<Record<MoveWay, Partial<MigrationOptions>>> = { live: { online: true }, restart: { restart: true }, offline: {} };

/** Begins a migration under the id that is the mutex of its guest; resolves when it has begun, or can't. */
export async function beginMove<Report>(desk: MovesDesk<Report>, move: NextMove): Promise<void> {
  const { order, control } = desk;
  const { vmid, from, to, way, leavesHome } = move;
  const input: MigrateGuestInput = {
    vmid,
    source: from,
    target: to,
    options: { ...order.options, ...WAYS[way] },
    requestedBy: order.requestedBy,
    priority: order.priority,
    ...(move.notAfter === undefined ? {} : { notAfter: move.notAfter }),
    timings: order.timings,
  };
  desk.change(moveBegun(desk.state, { vmid, from, to, way }));
  let child: ChildWorkflowHandle<typeof migrateGuest>;
  try {
    // Before the move: what was moved is known to belong here, whatever becomes of this drain. It leaves the node that is drained.
    if (leavesHome) await control.changeAway({ node: from, vmid, at: workflowInstant(), away: true });
    child = await startChild(migrateGuest, {
      ...CHILD,
      workflowId: migrationWorkflowId(vmid),
      args: [input],
      memo: { requestedBy: order.requestedBy },
      typedSearchAttributes: new TypedSearchAttributes([
        { key: keyword(SEARCH_ATTRIBUTES.guest), value: String(vmid) },
        { key: keyword(SEARCH_ATTRIBUTES.source), value: from },
        { key: keyword(SEARCH_ATTRIBUTES.target), value: to },
      ]),
      staticSummary: `Guest ${vmid} to ${to}, ${desk.purpose}`,
    });
  } catch (error) {
    const code: ErrorCode = error instanceof WorkflowExecutionAlreadyStartedError ? 'already-migrating' : readFailure(error).code;
    desk.change(moveFailed(desk.state, move, { code, reason: readFailure(error).message, at: workflowInstant() }));
    return;
  }
  desk.follow(vmid, () => child.signal(stopWaitingSignal));
  void followMove(desk, move, child);
}

async function followMove<Report>(desk: MovesDesk<Report>, move: NextMove, child: ChildWorkflowHandle<typeof migrateGuest>): Promise<void> {
  try {
    const story = await child.result();
    desk.hear(moveDone(desk.state, move, { migration: story.id ?? String(move.vmid), at: workflowInstant() }));
  } catch (error) {
    const failure = endOf(error);
    if (move.leavesHome && failure.stays) await forget(desk, move);
    desk.hear(moveFailed(desk.state, move, { code: failure.code, reason: failure.reason, at: workflowInstant() }));
  }
}

/** Best effort: a guest that is noted as away and is at home is no harm; the undrain forgets it. */
async function forget<Report>({ control }: MovesDesk<Report>, { vmid, from }: DrainMove): Promise<void> {
  await control.changeAway({ node: from, vmid, at: workflowInstant(), away: false }).catch(() => undefined);
}

/** `stays`: is the guest surely where it was? */
function endOf(error: unknown): { code: ErrorCode; reason: string; stays: boolean } {
  for (let link = error, depth = 0; isRecord(link) && depth < 20; link = link['cause'], depth += 1) {
    // Whoever ended it from outside did not want it; what it left the audit shows.
    if (link['name'] === 'TerminatedFailure') return { code: 'needs-operator', reason: 'it was ended from outside, see "kedge audit"', stays: false };
  }
  const { code, message, details } = readFailure(error);
  const cause = details['cause'];
  const reason = isRecord(cause) && typeof cause['message'] === 'string' ? cause['message'] : message;
  return { code, reason, stays: code !== 'needs-operator' };
}

/** Has a guest shut down by its own means, as "kedge guest shutdown" does: it is never switched off here. */
export async function beginShutDown(desk: DrainDesk, vmid: Vmid): Promise<void> {
  const { node, options, timings } = desk.order;
  desk.change(shutDownBegun(desk.state, vmid));
  try {
    const child = await startChild(manageGuest, {
      ...CHILD,
      workflowId: guestCommandWorkflowId(vmid, 'shutdown'),
      args: [{ node, command: { verb: 'shutdown', vmid, timeoutMs: options.shutdownTimeoutMs ?? DEFAULT_MIGRATION_OPTIONS.shutdownTimeoutMs }, timings }],
      staticSummary: `shutdown guest ${vmid} on ${node}, to empty it`,
    });
    void child.result().then(
      () => desk.hear(shutDownEnded(desk.state, vmid, null)),
      (error: unknown) => desk.hear(shutDownEnded(desk.state, vmid, readFailure(error).message)),
    );
  } catch (error) {
    const reason = error instanceof WorkflowExecutionAlreadyStartedError ? 'somebody else shuts it down already' : readFailure(error).message;
    desk.change(shutDownEnded(desk.state, vmid, reason));
  }
}

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
