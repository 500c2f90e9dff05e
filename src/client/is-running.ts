import { WorkflowNotFoundError } from '@temporalio/client';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/**
 * Does an execution with this workflow id run now? With `runId`: this very run, which never goes on once it has ended. Read from the server's state, not from
 * the lagging visibility index.
 */
export async function isRunning({ client }: ClientContext, workflowId: string, runId?: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId, runId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw clientError(`look for workflow ${workflowId}`, error);
  }
}
