import { expect, test } from 'vitest';
import { awaitBoot } from '../../../activities/control/examine-node.js';
import { parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import type { NodeStatus } from '../../../src/domain/node-facts.js';
import { FakeWorld } from '../../support/fake-world.js';

const node = parseNodeName('node1');
const inventory = new FakeWorld(parseVmid(101)).inventory(node);
const booted: NodeStatus = { node, bootId: 'boot-2', registeredAt: null, cordoned: true, silentSince: null, inventory, inventoryAgeMs: 0 };

test('a look that fails while a boot is awaited is one that has not heard the node', async () => {
  let looks = 0;
  const nodeStatus = () => ((looks += 1) < 3 ? Promise.reject(new Error('no answer')) : Promise.resolve(booted));
  expect(await awaitBoot({ nodeStatus }, { node, bootId: 'boot-1', timeoutMs: 5_000 })).toEqual({ booted: true });
});
