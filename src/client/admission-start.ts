import { CONTROL_QUEUE } from '../domain/task-queues.js';
import { ADMISSION_ID } from '../domain/workflow-names.js';

/** How the admission entity is started, by whoever needs it first. */
export const ADMISSION_START = {
  taskQueue: CONTROL_QUEUE,
  workflowId: ADMISSION_ID,
  workflowIdConflictPolicy: 'USE_EXISTING',
  staticSummary: 'Slots of all migrations',
} as const;
