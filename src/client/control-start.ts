import { CONTROL_QUEUE } from '../domain/task-queues.js';

/**
 * How every workflow is started. A task that the server has handed to a control worker which then died is given to the next one only
 * after its timeout, 10 s by default: that would be most of a recovery. All our tasks are short, and 3 s are many times the longest
 * replay; a task that takes longer on a choked machine is only handed out once more, its commands are taken from one attempt.
 */
export const CONTROL_START = { taskQueue: CONTROL_QUEUE, workflowTaskTimeout: '3 seconds' } as const;
