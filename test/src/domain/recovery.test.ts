import { describe, expect, test } from 'vitest';
import { parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../../src/domain/ids.js';
import type { LostGuest, LostGuests } from '../../../src/domain/lost-guest.js';
import { recoverableGuests, unseenGuests } from '../../../src/domain/recovery.js';

const [LOST, ONE, TWO] = [parseNodeName('node1'), parseNodeName('node2'), parseNodeName('node3')];

const guest = (vmid: number, more: Partial<LostGuest> = {}): LostGuest => ({
  vmid: parseVmid(vmid),
  kind: 'qemu',
  name: `guest${vmid}`,
  wanted: 'running',
  newest: { generation: parseGeneration(4), owner: LOST },
  storage: 'shared',
  memoryBytes: 1,
  cores: 1,
  bridges: [],
  storages: ['shared'],
  startOrder: null,
  ...more,
});

function sights(...all: readonly (readonly [NodeName, Partial<LostGuests>])[]): ReadonlyMap<NodeName, LostGuests> {
  return new Map(all.map(([node, seen]) => [node, { guests: [], unusable: [], handedOver: [], ...seen }]));
}

describe('the guests of a lost node', () => {
  test('are put together from what each node sees', () => {
    const { guests, left } = recoverableGuests(sights([ONE, { guests: [guest(101), guest(102)] }], [TWO, { guests: [guest(101)] }]));
    expect(guests.map(({ guest: { vmid }, seenBy }) => [vmid, seenBy])).toEqual([
      [101, [ONE, TWO]],
      [102, [ONE]],
    ]);
    expect(left).toEqual([]);
  });

  test.each([
    ['markers', { newest: { generation: parseGeneration(5), owner: LOST } }],
    ['storages', { storage: 'second' }],
  ])('are left when two nodes see different %s of one', (_, other) => {
    const { guests, left } = recoverableGuests(sights([ONE, { guests: [guest(101)] }], [TWO, { guests: [guest(101, other)] }]));
    expect([guests, left]).toEqual([[], [{ vmid: 101, reason: expect.stringContaining('two storages have one name') }]]);
  });

  test('are left with what a node says against them, once', () => {
    const unusable = [{ vmid: parseVmid(103), reason: 'unreadable' }];
    const { left } = recoverableGuests(sights([ONE, { unusable, handedOver: [parseVmid(104)] }], [TWO, { unusable }]));
    expect(left).toEqual([
      { vmid: 103, reason: 'unreadable' },
      { vmid: 104, reason: expect.stringContaining('node2 has handed it over') },
    ]);
  });

  test('are told of by name when no storage knows them, unless they were taken already', () => {
    const lastGuests = [101, 102, 103, 104].map((vmid) => ({ vmid: parseVmid(vmid), name: `guest${vmid}` }));
    const seen = sights([ONE, { guests: [guest(101)], handedOver: [parseVmid(102)] }]);
    expect(unseenGuests(LOST, { seen, lastGuests, known: [{ vmid: parseVmid(103) }] })).toEqual([
      { vmid: 104, reason: expect.stringMatching(/^it \(guest104\) needs a disk or a device of node1/) },
    ]);
  });
});
