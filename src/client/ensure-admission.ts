import { WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { ADMISSION_START } from './admission-start.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** Starts the admission entity unless it runs. */
export async function ensureAdmission({ client }: ClientContext): Promise<void> {
  await withClientErrors('start admission', () => client.workflow.start(WORKFLOW_TYPES.admission, { ...ADMISSION_START, args: [{}] }));
}
