import { setTimeout as delay } from 'node:timers/promises';
import type { FenceDevice } from '../../schema/fencing-config.js';
import { runFenceAgent, type FenceAnswer } from './run-fence-agent.js';

/** `off` false says nothing of the node: its power may be on or off. */
export type FenceOutcome = { readonly off: true } | { readonly off: false; readonly reason: string };

/** Of the action `status`, by the convention of fence-agents. */
const STATUS_OFF = 2;
/** Some devices tell of what they did a moment later. */
const STATUS_LOOKS = 5;
const STATUS_PAUSE_MS = 1_000;

/**
 * Cuts the power of a node, and believes it only when the device, asked once more, says that it is off. The caller adds a look of its own at the
 * node: a device may be configured for another machine than the one it is said to be for.
 *
 * Repeatable: "off" of a node that is off is done.
 */
export async function fenceNode(device: FenceDevice, pauseMs = STATUS_PAUSE_MS): Promise<FenceOutcome> {
  const off = await runFenceAgent({ action: 'off', device });
  if (off.exitCode !== 0) return { off: false, reason: `${device.agent} could not switch it off: ${endOf(off, device)}` };
  let last = '';
  for (let look = 0; look < STATUS_LOOKS; look += 1) {
    if (look > 0) await delay(pauseMs);
    const status = await runFenceAgent({ action: 'status', device });
    if (status.exitCode === STATUS_OFF) return { off: true };
    last = status.exitCode === 0 ? 'it still says "on"' : endOf(status, device);
    // A device that doesn't answer is not asked over and over: each time may take its whole timeout.
    if (status.timedOut) break;
  }
  return { off: false, reason: `${device.agent} claims to have switched it off, but asked for the status ${last}` };
}

function endOf({ exitCode, timedOut, said }: FenceAnswer, { timeoutSeconds }: FenceDevice): string {
  const how = timedOut
    ? `it took longer than ${String(timeoutSeconds)} s`
    : exitCode === null
      ? "it can't be run"
      : `it ended with exit code ${String(exitCode)}`;
  return said === '' ? how : `${how}: ${said}`;
}
