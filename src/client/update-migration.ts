import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError, type WorkflowHandle } from '@temporalio/client';
import { KedgeError } from '../domain/kedge-error.js';
import type { OperatorAnswer, OperatorDecision } from '../domain/migration.js';
import { UPDATES } from '../domain/workflow-names.js';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';
import type { MigrationRef } from './migration-view.js';

/** Cancels before the hand-over; resolves when that is sure. @throws KedgeError `cancel-refused` with the reason */
export async function cancelMigration(context: ClientContext, ref: MigrationRef): Promise<void> {
  await update(context, { ref, what: 'cancel', call: (handle) => handle.executeUpdate(UPDATES.cancel) });
}

/** Ends the hold: the copy switches over. @throws KedgeError `guest-state` when there is no hold */
export async function releaseMigration(context: ClientContext, ref: MigrationRef): Promise<void> {
  await update(context, { ref, what: 'release', call: (handle) => handle.executeUpdate(UPDATES.release) });
}

/** Answers the question of a migration in `needs-operator`. @throws KedgeError `guest-state` when it asks nothing */
export async function decideMigration(
  context: ClientContext,
  { ref, decision, statedBy }: { ref: MigrationRef; decision: OperatorDecision; statedBy?: string },
): Promise<void> {
  await update(context, {
    ref,
    what: 'decide for',
    call: (handle) =>
      handle.executeUpdate<unknown, [OperatorDecision | OperatorAnswer]>(UPDATES.decide, {
        args: [statedBy === undefined ? decision : { decision, statedBy }],
      }),
  });
}

interface UpdateCall {
  readonly ref: MigrationRef;
  readonly what: string;
  readonly call: (handle: WorkflowHandle) => Promise<unknown>;
}

async function update({ client }: ClientContext, { ref, what, call }: UpdateCall): Promise<void> {
  try {
    await again(() => call(client.workflow.getHandle(ref.workflowId, ref.runId)));
  } catch (error) {
    const failure = clientError(`${what} migration ${ref.workflowId}`, error);
    if (failure.code !== 'not-found') throw failure;
    throw new KedgeError('not-found', `Cannot ${what} the migration of guest ${ref.vmid}: it has ended already`, { cause: error });
  }
}

const ATTEMPTS = 12;
const PAUSE_FIRST_MS = 100;
const PAUSE_LONGEST_MS = 2_000;
/** google.rpc.Code FAILED_PRECONDITION: the workflow's task was dropped by the server, because something else came in between. */
const TASK_DROPPED: readonly number[] = [9];

/**
 * All updates are repeatable. The pauses are drawn: two cancels of a migration that ends with the first one have the server drop the task
 * that they share, and both would come again at the same moment, over and over.
 */
async function again(call: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await call();
      return;
    } catch (error) {
      const cause = error instanceof ServiceError ? error.cause : error;
      if (attempt === ATTEMPTS || !isGrpcServiceError(cause) || !TASK_DROPPED.includes(cause.code)) throw error;
    }
    await delay(Math.random() * Math.min(PAUSE_FIRST_MS * 2 ** attempt, PAUSE_LONGEST_MS));
  }
}
