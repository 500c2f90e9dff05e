import type { NodeName, Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestView } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';

const OBSERVE_TIMEOUT_MS = 3_000;

/** What the other node says of a guest; no answer is `unreachable`, which proves nothing. */
export async function askPeer(node: NodeContext, peer: NodeName, vmid: Vmid): Promise<GuestView | 'unreachable'> {
  try {
    const channel = await node.peers.channel(peer);
    return await crashPoint('node.observe-message', () => channel.call('observe', { vmid }, { timeoutMs: OBSERVE_TIMEOUT_MS }));
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    node.log.debug({ vmid, peer, error }, 'the peer does not answer');
    return 'unreachable';
  }
}
