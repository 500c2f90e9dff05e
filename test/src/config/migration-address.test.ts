import { describe, expect, test } from 'vitest';
import { migrationAddress } from '../../../src/config/migration-address.js';

const NODES = {
  node1: { address: '10.0.0.11', migrationAddress: '10.1.0.11' },
  node2: { address: 'host2.example', migrationAddress: 'fd00:1::12' },
  node3: { address: '10.0.0.13', migrationAddress: '10.0.0.13' },
};

describe('the address that copies go to', () => {
  test.each<[string, string | null, string]>([
    ['node1', null, '10.1.0.11'],
    ['node1', '10.1.0.0/16', '10.1.0.11'],
    ['node1', '10.0.0.0/24', '10.0.0.11'],
    ['node1', '10.0.0.11/32', '10.0.0.11'],
    ['node2', 'fd00:1::/64', 'fd00:1::12'],
    ['node3', '10.0.0.0/16', '10.0.0.13'],
  ])('of %s in network %s is %s', (node, network, address) => {
    expect(migrationAddress(NODES, { node, network })).toBe(address);
  });

  test.each<[string, string, string, string]>([
    ['node1', '10.9.0.0/16', 'bad-input', "could not get IP: no address configured on node 'node1' for network '10.9.0.0/16'"],
    ['node2', '10.0.0.0/8', 'bad-input', "no address configured on node 'node2'"],
    ['node1', '10.0.0.0/8', 'bad-input', "multiple addresses (10.1.0.11, 10.0.0.11) configured on node 'node1' for network '10.0.0.0/8'"],
    ['node1', '10.0.0.0/33', 'bad-input', 'must be a network like 10.1.0.0/24'],
    ['node1', '10.0.0.0', 'bad-input', 'current value is "10.0.0.0"'],
    ['node9', '10.0.0.0/8', 'not-found', 'the cluster has node1, node2, node3'],
  ])('of %s in network %s is refused', (node, network, code, text) => {
    expect(() => migrationAddress(NODES, { node, network })).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }));
  });
});
