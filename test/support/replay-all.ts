import type { Client } from '@temporalio/client';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';

/**
 * Replays every execution that a test server has, as a control worker does that was restarted: it must take the decisions that the one before it took.
 * What ran in one worker's cache all the time never shows it. Answers those that would be stuck, each with why; empty is the law.
 */
export async function stuckOnReplay(client: Client, workflowBundle: WorkflowBundleWithSourceMap): Promise<string[]> {
  const stuck: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories(client))) {
    if (error !== undefined) stuck.push(`${workflowId}: ${error.message}`);
  }
  return stuck;
}

async function* histories(client: Client): AsyncGenerator<{ workflowId: string; history: unknown }> {
  for await (const { workflowId, runId, taskQueue } of client.workflow.list()) {
    // On any other one nobody has taken a decision.
    if (taskQueue !== CONTROL_QUEUE) continue;
    yield { workflowId, history: await client.workflow.getHandle(workflowId, runId).fetchHistory() };
  }
}

/** To be called when the workers have ended and the server has not. @throws Error with those that would be stuck */
export async function expectReplays(client: Client, workflowBundle: WorkflowBundleWithSourceMap): Promise<void> {
  const stuck = await stuckOnReplay(client, workflowBundle);
  if (stuck.length > 0) throw new Error(`${stuck.length} executions can't be replayed:\n${stuck.slice(0, 20).join('\n')}`);
}
