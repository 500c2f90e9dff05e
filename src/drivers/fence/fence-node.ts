import { setTimeout as delay } from 'node:timers/promises';
import type { FenceDevice } from '../../schema/fencing-config.js';
import { askAgentFacts } from './agent-facts.js';
import { runFenceAgent, type FenceAnswer } from './run-fence-agent.js';

/** `off` false says nothing of the node: its power may be on or off. */
export type FenceOutcome = { readonly off: true } | { readonly off: false; readonly reason: string };

/** Of the action `status`, by the convention of fence-agents. */
export const STATUS_ON = 0;
export const STATUS_OFF = 2;
/** Some devices tell of what they did a moment later. */
const STATUS_LOOKS = 5;
const STATUS_PAUSE_MS = 1_000;
/** Management boards are busy now and then, and some machines take longer to go off than their agent waits: "off" of those succeeds the next time. */
const OFF_TRIES = 2;

/**
 * Cuts the power of a node, and believes it only when the device, asked once more, says that it is off. The caller adds a look of its own at the
 * node: a device may be configured for another machine than the one it is said to be for.
 *
 * Repeatable: "off" of a node that is off is done.
 */
export async function fenceNode(device: FenceDevice, pauseMs = STATUS_PAUSE_MS): Promise<FenceOutcome> {
  const { agent } = device;
  if ((await askAgentFacts(device))?.isFabric === true)
    return { off: false, reason: `${agent} cuts storage or network off, not power: its guests would run on` };
  let off = await runFenceAgent({ action: 'off', device });
  for (let tried = 1; tried < OFF_TRIES && off.exitCode !== 0 && off.exitCode !== null; tried += 1) {
    await delay(pauseMs);
    off = await runFenceAgent({ action: 'off', device });
  }
  if (off.exitCode !== 0) return { off: false, reason: `${agent} could not switch it off: ${endOfAgent(off, device)}` };
  let last = '';
  for (let look = 0; look < STATUS_LOOKS; look += 1) {
    if (look > 0) await delay(pauseMs);
    const status = await runFenceAgent({ action: 'status', device });
    if (status.exitCode === STATUS_OFF) return { off: true };
    last = status.exitCode === STATUS_ON ? 'it still says "on"' : endOfAgent(status, device);
    // A device that doesn't answer is not asked over and over: each time may take its whole timeout.
    if (status.timedOut) break;
  }
  return { off: false, reason: `${agent} claims to have switched it off, but asked for the status ${last}` };
}

/** How a call that did not do its work ended, in words. */
export function endOfAgent({ exitCode, timedOut, said }: FenceAnswer, { timeoutSeconds }: FenceDevice): string {
  const how = timedOut
    ? `it took longer than ${timeoutSeconds} s`
    : exitCode === null
      ? "it can't be run, or was killed"
      : `it ended with exit code ${exitCode}`;
  return said === '' ? how : `${how}: ${said}`;
}
