import { KedgeError } from '../../domain/kedge-error.js';
import { protocolMismatch, type PeerProtocol } from '../../domain/peer-protocol.js';
import type { NodeName } from '../../domain/ids.js';
import type { PeerChannel } from './peer-channel.js';
import type { PeerOperations } from './protocol.js';

/** The worker that asks, and what it speaks. */
export interface Asker {
  readonly node: NodeName;
  readonly protocol: PeerProtocol;
}

/**
 * Asks the peer who it is, and makes sure that both understand each other.
 * @throws KedgeError `protocol-mismatch` names both versions and the node to update; those of {@link PeerChannel.call}
 */
export async function greetPeer(channel: PeerChannel, own: Asker, options: { readonly timeoutMs: number }): Promise<PeerOperations['hello']['answer']> {
  const answer = await channel.call('hello', { ...own.protocol, node: own.node }, options);
  const mismatch = protocolMismatch(own, { node: answer.node, protocol: answer });
  if (mismatch !== null) throw new KedgeError('protocol-mismatch', `Cannot work with node ${answer.node}: ${mismatch.text}`, { details: mismatch });
  return answer;
}
