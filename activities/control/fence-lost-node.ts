import type { FenceResult } from '../interface-control.js';
import type { DeviceLook } from '../../src/domain/fence-test.js';
import type { NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import type { FenceOutcome } from '../../src/drivers/fence/fence-node.js';
import type { FenceDevice, FencingConfig } from '../../src/schema/fencing-config.js';

/** What it needs of the world. */
export interface Fencing {
  /** Read anew at each call: a file that is put there needs no restart. @throws KedgeError `bad-config` */
  readonly config: () => Promise<FencingConfig | null>;
  readonly fence: (device: FenceDevice) => Promise<FenceOutcome>;
  /** Asks a device, and switches nothing. */
  readonly look: (device: FenceDevice) => Promise<DeviceLook>;
  /** Machine and file, for people. */
  readonly place: string;
}

/**
 * Cuts the power of a node that is not heard. Says so only when the device confirmed it when asked again, and the node, looked at by another
 * way (its presence), is still not heard. Answers which boot has ended: one that was registered later than that is another life of the node.
 *
 * Never touches a node that is heard: a guest in doubt is no reason to kill all others there.
 */
export async function fenceLostNode(
  { config, fence }: Pick<Fencing, 'config' | 'fence'>,
  { node, status }: { node: NodeName; status: () => Promise<NodeStatus | null> },
): Promise<FenceResult> {
  let device: FenceDevice | undefined;
  try {
    device = (await config())?.nodes[node];
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { fenced: false, reason: error.message };
  }
  if (device === undefined) return { fenced: false, reason: null };
  const before = await status();
  const heard = `${node} is heard, so its power is not cut`;
  if (before?.bootId == null) return { fenced: false, reason: `${node} has never registered` };
  if (before.silentSince === null) return { fenced: false, reason: heard };
  const outcome = await fence(device);
  if (!outcome.off) return { fenced: false, reason: outcome.reason };
  const after = await status();
  if (after?.bootId !== before.bootId || after.silentSince === null)
    return { fenced: false, reason: `${device.agent} says that ${node} is off, and yet ${node} is heard: the device may be that of another machine` };
  return { fenced: true, bootId: before.bootId, agent: device.agent };
}
