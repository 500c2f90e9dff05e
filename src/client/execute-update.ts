import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError, type WorkflowHandle } from '@temporalio/client';

const ATTEMPTS = 12;
const PAUSE_FIRST_MS = 100;
const PAUSE_LONGEST_MS = 2_000;
/** google.rpc.Code FAILED_PRECONDITION: the workflow's task was dropped by the server, because something else came in between. */
const TASK_DROPPED: readonly number[] = [9];

/**
 * Sends an update to a workflow, again when the server dropped the task that it came with: then nobody has seen it.
 *
 * The pauses are drawn: two cancels of a migration that ends with the first one share a task, and both would come again at the same moment,
 * over and over. @throws what the SDK throws
 */
export async function executeUpdate<Result>(handle: WorkflowHandle, name: string, argument?: unknown): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (argument === undefined ? handle.executeUpdate<Result, []>(name) : handle.executeUpdate<Result, [unknown]>(name, { args: [argument] }));
    } catch (error) {
      const cause = error instanceof ServiceError ? error.cause : error;
      if (attempt === ATTEMPTS || !isGrpcServiceError(cause) || !TASK_DROPPED.includes(cause.code)) throw error;
    }
    await delay(Math.random() * Math.min(PAUSE_FIRST_MS * 2 ** attempt, PAUSE_LONGEST_MS));
  }
}
