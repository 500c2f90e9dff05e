import { WorkflowNotFoundError } from '@temporalio/client';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** Does this very run go on? A later run of the same workflow id is another one; a run that has ended never goes on. */
export async function isRunRunning({ client }: ClientContext, { holder, runId }: { readonly holder: string; readonly runId: string }): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(holder, runId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw clientError(`look for workflow ${holder}`, error);
  }
}
