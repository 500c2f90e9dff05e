/** Guests that a lost node has lost for good: `recoverNode` goes on until somebody owns them, whoever dies meanwhile, and takes none from a node that lives. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseGeneration, parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { guest, LOST, refusal, startRecoveryHarness, TAKEN, type FakeCluster, type RecoveryHarness } from '../support/recovery-harness.js';

let harness: RecoveryHarness;
let world: FakeCluster;
beforeAll(async () => {
  harness = await startRecoveryHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  world = await harness.reset();
});
const begin: RecoveryHarness['begin'] = (node) => harness.begin(node);
const seen: RecoveryHarness['seen'] = (accept, node) => harness.seen(accept, node);

describe('a guest that is owed', { timeout: 30_000 }, () => {
  test('goes on until somebody has taken what its node has lost, also when that is back: at last the node itself', async () => {
    world.take = () => refusal('not now');
    await begin();
    await seen(({ owed }) => owed.length > 0);
    harness.comesBack();
    const settling = await seen(({ phase, left }) => phase === 'settling' && left.length > 0);
    expect([settling.owed.map(({ vmid }) => vmid), settling.left]).toEqual([[101], [{ vmid: 101, reason: expect.stringContaining('node3: not now') }]]);
    expect(world.asked.at(-1)).toMatchObject({ isLostOff: false });
    world.take = (by) => (by === LOST ? TAKEN : refusal('it is full'));
    expect((await seen(({ phase }) => phase === 'back')).taken).toMatchObject([{ vmid: 101, to: LOST, problem: null }]);
    expect(world.voided).toEqual(['101 below 9']);
  });

  test('takes nothing from the node in its next boot without another proof, when that has taken a guest itself and its answer was lost', async () => {
    world.take = () => refusal('not now');
    await begin();
    await seen(({ owed }) => owed.length > 0);
    harness.comesBack();
    await seen(({ phase }) => phase === 'settling');
    // Its marker is there, and it is cut off before it can say so. It answers on one path: nobody may believe that it is off.
    world.guests = [guest(101, { newest: { generation: parseGeneration(9), owner: LOST } })];
    world.answering.set(LOST, 'open');
    world.silent.add(LOST);
    world.take = (_, { newest }) => (newest.generation === 9 ? TAKEN : refusal('its storage says that node3 has it'));
    expect((await seen(({ phase, silentSince }) => phase === 'looking' && silentSince !== null)).proof).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { taken, owed } = await harness.kedge.readRecovery(LOST);
    expect([taken, owed.length]).toEqual([[], 1]);
    // Its power is cut, for all to see: its guests are lost once more, under a generation beyond the one that it has taken.
    world.answering.clear();
    expect((await seen((report) => report.taken.length > 0)).proof).toMatchObject({ bootId: 'next' });
    expect(world.voided).toEqual(['101 below 9', '101 below 13']);
  });

  test('tells a taker once more that has made its marker and then failed, until it has the guest; the others can not', async () => {
    // The storage names node2 from its marker on.
    world.take = (by) => {
      if (by !== 'node2') return refusal('its storage says that node2 has it');
      world.guests = [];
      return refusal('its disk is full');
    };
    await begin();
    expect((await seen(({ left }) => /its disk is full/.test(left[0]?.reason ?? ''))).owed).toMatchObject([
      { vmid: 101, asked: expect.arrayContaining(['node2']) },
    ]);
    harness.comesBack();
    await seen(({ phase }) => phase === 'settling');
    world.take = (by) => (by === 'node2' ? TAKEN : refusal('its storage says that node2 has it'));
    expect((await seen(({ phase }) => phase === 'back')).taken).toMatchObject([{ vmid: 101, to: 'node2' }]);
  });

  test('is taken by whom another node says that it owns it, when the answer of the taker was lost', async () => {
    world.take = (by) => {
      if (by !== 'node2') return { outcome: 'owned', by: parseNodeName('node2') };
      // Its record is written, its note names it, and then it dies.
      world.guests = [];
      return refusal('its worker is gone');
    };
    world.lastGuests = [{ vmid: parseVmid(101), name: 'w' }];
    await begin();
    expect(await seen(({ taken }) => taken.length > 0)).toMatchObject({ taken: [{ vmid: 101, to: 'node2', problem: null }], owed: [], left: [] });
  });

  test('is owed no longer when some node owns it', async () => {
    world.take = () => ({ outcome: 'owned', by: parseNodeName('node4') });
    await begin();
    await seen(({ taken }) => taken.length > 0);
    harness.comesBack();
    expect(await seen(({ phase }) => phase === 'back')).toMatchObject({ taken: [{ vmid: 101, to: 'node4' }], owed: [] });
  });

  test('does not end while a node that is heard in the very boot that was given up has guests whose records are void', async () => {
    world.take = () => refusal('node3 has a process of the guest');
    await begin();
    await seen(({ owed }) => owed.length > 0);
    world.silent.clear();
    expect(await seen(({ phase, left }) => phase === 'settling' && left.length > 0)).toMatchObject({ owed: [{ vmid: 101 }], proof: null });
  });
});
