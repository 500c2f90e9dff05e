import { describe, expect, test } from 'vitest';
import { parseNodeName } from '../../../src/domain/ids.js';
import { slotNeeds, type SlotQuestion } from '../../../src/domain/slot-needs.js';
import { isSlotNetwork, slotNetwork } from '../../../src/domain/slot-network.js';

const [source, target] = [parseNodeName('node1'), parseNodeName('node2')];
const needs = (changes: Partial<SlotQuestion> = {}, options: Partial<SlotQuestion['options']> = {}) =>
  slotNeeds({
    source,
    target,
    movement: 'offline',
    storages: [
      { id: 'local', shared: false },
      { id: 'nfs', shared: true },
    ],
    volumes: [{ storage: 'local' }, { storage: 'local' }],
    streamLimit: 0,
    sharedStorages: ['nfs', 'ceph'],
    ...changes,
    options: { network: null, targetStorage: '', bandwidthLimit: null, ...options },
  });

describe('a migration', () => {
  test('needs both nodes, the network, the shared storage of its disks, and that of the target which is written to', () => {
    expect(needs()).toEqual({ nodes: [source, target], network: 'default', storages: [{ storage: 'nfs' }, { storage: 'local', node: target }] });
  });

  test('needs no storage that nothing is copied to when it moves live', () => {
    expect(needs({ movement: 'live' }).storages).toEqual([{ storage: 'nfs' }]);
  });

  test('writes to the storage that its map names, which may be a shared one', () => {
    expect(needs({ storages: [] }, { targetStorage: 'local:ceph' }).storages).toEqual([{ storage: 'ceph' }]);
    expect(needs({ storages: [] }, { targetStorage: 'fast' }).storages).toEqual([{ storage: 'fast', node: target }]);
  });

  test('takes at most what its stream may, or what was asked for; a limit of some disks says nothing of all', () => {
    expect(needs({ movement: 'live', streamLimit: 7 }, { bandwidthLimit: 9 }).bandwidthLimit).toBe(7);
    expect(needs({ streamLimit: 7 }, { bandwidthLimit: 9 }).bandwidthLimit).toBe(9);
    expect(needs({ streamLimit: 7 }).bandwidthLimit).toBeUndefined();
    expect(needs({ streamLimit: 7 }, { bandwidthLimit: 0 }).bandwidthLimit).toBeUndefined();
  });
});

describe('the name of a network', () => {
  test.each([
    [null, 'default'],
    ['10.1.0.0/24', '10.1.0.0/24'],
    ['10.1.0.7/24', '10.1.0.0/24'],
    ['10.1.255.255/12', '10.0.0.0/12'],
    ['10.1.2.3/32', '10.1.2.3/32'],
    ['10.1.2.3/0', '0.0.0.0/0'],
    ['FD00::/64', 'fd00::/64'],
  ])('of %s is %s', (network, name) => {
    expect(slotNetwork(network)).toBe(name);
    expect(isSlotNetwork(name)).toBe(true);
  });

  test.each(['10.1.0.7/24', '10.1.0.0/33', '10.1.0.256/24', '10.1.0.0', 'FD00::/64', 'fast', ''])('never is %s', (name) => {
    expect(isSlotNetwork(name)).toBe(false);
  });
});
