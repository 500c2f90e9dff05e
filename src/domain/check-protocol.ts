import { finding, type Finding } from './checks.js';
import { protocolMismatch, type SpeakingNode } from './peer-protocol.js';

/** Do the workers of both nodes understand each other? One text for all who find out. */
export function checkProtocol(here: SpeakingNode, there: SpeakingNode): readonly Finding[] {
  const mismatch = protocolMismatch(here, there);
  return mismatch === null ? [] : [finding('kedge-protocol', mismatch.text, mismatch.remedy)];
}
