import { WorkflowNotFoundError } from '@temporalio/client';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** Does an execution with this workflow id run now? Read from the server's state, not from the lagging visibility index. */
export async function isRunning({ client }: ClientContext, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw clientError(`look for workflow ${workflowId}`, error);
  }
}
