import { beating } from '../beating.js';
import type { CommandEnd, WorkActivities } from '../interface-control.js';

/** How a command gets to a node; tells the end of its output as it grows. */
export type RunOnNode = (call: Parameters<WorkActivities['runOnNode']>[0] & { readonly onOutput: (tail: string) => void }) => Promise<CommandEnd>;

/** Details of a heartbeat stay small; the newest output is at the end. */
const SHOWN = 2_000;

/** Runs a command, with the end of its output in the heartbeats. It is not cancelled: what was begun on a node is waited for. */
export function runOnNode(run: RunOnNode, input: Parameters<WorkActivities['runOnNode']>[0]): Promise<CommandEnd> {
  let shown = '';
  return beating(
    () => run({ ...input, onOutput: (tail) => void (shown = tail.slice(-SHOWN)) }),
    () => ({ output: shown }),
  );
}
