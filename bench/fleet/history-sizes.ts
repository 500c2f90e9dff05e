import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';

/** One workflow id with all runs that it continued in. */
export interface HistorySize {
  readonly workflowId: string;
  readonly runIds: readonly string[];
  readonly events: number;
  readonly bytes: number;
  /** From the first start to the last end; null while it runs. */
  readonly tookMs: number | null;
}

/** Sizes of all histories of one type that the server has. Its index may lag by a moment. */
export async function historySizes(client: Client, type: keyof typeof WORKFLOW_TYPES): Promise<readonly HistorySize[]> {
  const sizes = new Map<string, HistorySize>();
  for await (const listed of client.workflow.list({ query: `WorkflowType = '${WORKFLOW_TYPES[type]}'` })) {
    const run = await measured(client, listed);
    const known = sizes.get(run.workflowId);
    const tookMs = run.closeTime === undefined ? null : run.closeTime.getTime() - run.startTime.getTime();
    sizes.set(run.workflowId, {
      workflowId: run.workflowId,
      runIds: [...(known?.runIds ?? []), run.runId],
      events: (known?.events ?? 0) + run.historyLength,
      bytes: (known?.bytes ?? 0) + (run.historySize ?? 0),
      tookMs: tookMs === null || known?.tookMs === null ? null : tookMs + (known?.tookMs ?? 0),
    });
  }
  return [...sizes.values()];
}

/** The index knows the size of what has ended only. */
async function measured(client: Client, listed: WorkflowExecutionInfo): Promise<Omit<WorkflowExecutionInfo, 'raw'>> {
  return listed.status.name === 'RUNNING' ? client.workflow.getHandle(listed.workflowId, listed.runId).describe() : listed;
}
