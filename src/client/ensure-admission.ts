import { CONTROL_QUEUE } from '../domain/task-queues.js';
import { ADMISSION_ID, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** Starts the admission entity unless it runs. */
export async function ensureAdmission({ client }: ClientContext): Promise<void> {
  await withClientErrors('start admission', () =>
    client.workflow.start(WORKFLOW_TYPES.admission, {
      taskQueue: CONTROL_QUEUE,
      workflowId: ADMISSION_ID,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{}],
      staticSummary: 'Slots of all migrations',
    }),
  );
}
