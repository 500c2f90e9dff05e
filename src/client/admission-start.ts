import { ADMISSION_ID } from '../domain/workflow-names.js';
import { CONTROL_START } from './control-start.js';

/** How the admission entity is started, by whoever needs it first. */
export const ADMISSION_START = {
  ...CONTROL_START,
  workflowId: ADMISSION_ID,
  workflowIdConflictPolicy: 'USE_EXISTING',
  staticSummary: 'Slots of all migrations',
} as const;
