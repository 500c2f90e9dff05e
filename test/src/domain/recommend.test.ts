import { expect, test } from 'vitest';
import { parseVmid } from '../../../src/domain/ids.js';
import { recommend } from '../../../src/domain/recommend.js';
import { plainGuest } from '../../support/plain-guest.js';
import { plainCluster, plainNode } from '../../support/plain-node.js';

const GIB = 2 ** 30;

test.for([
  ['names the node with the faster cores for a guest that keeps its own busy, also where memory is what nodes are full of', 4, 'move'],
  ['leaves a guest that does little where it is, however fast another node is', 0.1, 'stay'],
] as const)('%s', ([, cpuLoad, advice]) => {
  const nodes = [plainNode('node1'), plainNode('node2', { speed: 1.5 })];
  // Both are 60 % full of memory: the second one with the guest.
  const others = [plainGuest(102, 'node1', { memoryBytes: 30 * GIB }), plainGuest(103, 'node2', { memoryBytes: 30 * GIB })];
  const snapshot = plainCluster(nodes, [plainGuest(101, 'node1', { memoryBytes: 8 * GIB, cores: 4, cpuLoad }), ...others]);
  expect(recommend(snapshot, parseVmid(101), {})).toMatchObject({ advice, best: 'node2' });
});
