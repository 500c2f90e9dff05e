import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { PEER_PROTOCOL, protocolMismatch, type SpeakingNode } from '../../../src/domain/peer-protocol.js';

const node1 = (version: number, oldest?: number): SpeakingNode => ({ node: 'node1', protocol: { version, oldest } });
const node2 = (version: number, oldest?: number): SpeakingNode => ({ node: 'node2', protocol: { version, oldest } });
const speaking = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }));

describe('protocolMismatch()', () => {
  it('accepts the same version, and one that the newer worker still speaks', () => {
    expect(protocolMismatch(node1(1, 1), node2(1, 1))).toBeNull();
    expect(protocolMismatch(node1(1, 1), node2(2, 1))).toBeNull();
    expect(protocolMismatch(node1(2, 1), node2(1))).toBeNull();
  });

  it('names both versions and the node to update, the same from both sides', () => {
    const expected = {
      text: 'Kedge on node2 speaks version 1 of the protocol between nodes, node1 speaks 3 down to 2',
      remedy: 'Update Kedge on node2',
    };
    expect(protocolMismatch(node1(3, 2), node2(1, 1))).toEqual(expected);
    expect(protocolMismatch(node2(1, 1), node1(3, 2))).toEqual(expected);
  });

  it('takes a worker that does not say what else it speaks for one that speaks its own version alone', () => {
    expect(protocolMismatch(node1(1), node2(2))?.text).toBe('Kedge on node1 speaks version 1 of the protocol between nodes, node2 speaks 2');
  });

  property.prop([speaking, speaking])('never depends on who asks', ([left, oldestLeft], [right, oldestRight]) => {
    const [here, there] = [node1(left, oldestLeft), node2(right, oldestRight)];
    expect(protocolMismatch(here, there)).toEqual(left === right ? protocolMismatch(here, there) : protocolMismatch(there, here));
  });

  it('is nothing between two workers of this build', () => {
    expect(PEER_PROTOCOL.oldest).toBeLessThanOrEqual(PEER_PROTOCOL.version);
    expect(protocolMismatch({ node: 'node1', protocol: PEER_PROTOCOL }, { node: 'node2', protocol: PEER_PROTOCOL })).toBeNull();
  });
});
