import { Context } from '@temporalio/activity';
import { HEARTBEAT_INTERVAL_MS } from '../beating.js';
import type { CommandEnd, WorkActivities } from '../interface-control.js';

/** How a command gets to a node; tells the end of its output as it grows. */
export type RunOnNode = (call: Parameters<WorkActivities['runOnNode']>[0] & { readonly onOutput: (tail: string) => void }) => Promise<CommandEnd>;

/** Details of a heartbeat stay small; the newest output is at the end. */
const SHOWN = 2_000;

/** Runs a command, with the end of its output in the heartbeats. It is not cancelled: what was begun on a node is waited for. */
export async function runOnNode(run: RunOnNode, input: Parameters<WorkActivities['runOnNode']>[0]): Promise<CommandEnd> {
  const context = Context.current();
  let shown = '';
  const timer = setInterval(() => context.heartbeat({ output: shown }), HEARTBEAT_INTERVAL_MS);
  try {
    return await run({ ...input, onOutput: (tail) => void (shown = tail.slice(-SHOWN)) });
  } finally {
    clearInterval(timer);
  }
}
