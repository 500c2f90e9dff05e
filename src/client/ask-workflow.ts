import type { WorkflowHandle } from '@temporalio/client';

/** How long a query waits for a control worker. */
const QUERY_TIMEOUT_MS = 1_500;

/** The answer to a query, not checked; null when there is none: no worker, a busy one, or one that has not seen the first task. */
export async function askWorkflow(handle: WorkflowHandle, query: string): Promise<unknown> {
  try {
    return await handle.client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<unknown>(query));
  } catch {
    return null;
  }
}
