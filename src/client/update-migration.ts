import { KedgeError } from '../domain/kedge-error.js';
import type { OperatorAnswer, OperatorDecision } from '../domain/migration.js';
import { UPDATES } from '../domain/workflow-names.js';
import { clientError } from './client-error.js';
import { executeUpdate } from './execute-update.js';
import type { ClientContext } from './kedge-client.js';
import type { MigrationRef } from './migration-view.js';

/** Cancels before the hand-over; resolves when that is sure. @throws KedgeError `cancel-refused` with the reason */
export async function cancelMigration(context: ClientContext, ref: MigrationRef): Promise<void> {
  await update(context, { ref, what: 'cancel', name: UPDATES.cancel });
}

/** Ends the hold: the copy switches over. @throws KedgeError `guest-state` when there is no hold */
export async function releaseMigration(context: ClientContext, ref: MigrationRef): Promise<void> {
  await update(context, { ref, what: 'release', name: UPDATES.release });
}

/** Answers the question of a migration in `needs-operator`. @throws KedgeError `guest-state` when it asks nothing */
export async function decideMigration(
  context: ClientContext,
  { ref, decision, statedBy }: { ref: MigrationRef; decision: OperatorDecision; statedBy?: string },
): Promise<void> {
  const answer: OperatorDecision | OperatorAnswer = statedBy === undefined ? decision : { decision, statedBy };
  await update(context, { ref, what: 'decide for', name: UPDATES.decide, argument: answer });
}

interface UpdateCall {
  readonly ref: MigrationRef;
  readonly what: string;
  readonly name: string;
  readonly argument?: unknown;
}

async function update({ client }: ClientContext, { ref, what, name, argument }: UpdateCall): Promise<void> {
  try {
    await executeUpdate(client.workflow.getHandle(ref.workflowId, ref.runId), name, argument);
  } catch (error) {
    const failure = clientError(`${what} migration ${ref.workflowId}`, error);
    if (failure.code !== 'not-found') throw failure;
    throw new KedgeError('not-found', `Cannot ${what} the migration of guest ${ref.vmid}: it has ended already`, { cause: error });
  }
}
