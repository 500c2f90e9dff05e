import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseGeneration, parseNodeName } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import type { VoidedGuest } from '../../../../src/domain/voided-guest.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { takeOverAlone } from '../../../../worker/node/offline/take-over-alone.js';
import { applyVoided } from '../../../../worker/node/recovery/apply-voided.js';
import { directChannel } from '../../../support/direct-channel.js';
import { receivingNode, stepOf, VMID, type ReceivingNode } from '../../../support/receiving-node.js';

const TAKER = parseNodeName('node2');
const STEP = { ...stepOf(2), sequence: 1 };

/** Of the target, which may have written g+1. */
const voidedBelow = (below: number): VoidedGuest => ({
  vmid: VMID,
  migrationId: STEP.migrationId,
  below: parseGeneration(below),
  takenBy: TAKER,
  at: '2026-01-01T00:00:00Z',
  statedBy: 'alice@admin',
  basis: 'operator',
});

let here: ReceivingNode;
let other: ReceivingNode;
let isOtherHeard: boolean;

/** The next boot of this node, before it has registered. */
const rebooted = (): NodeContext => ({ ...here.node, bootId: 'next', boot: { confirmed: false } });

beforeEach(async () => {
  [here, other] = [await receivingNode(), await receivingNode()];
  isOtherHeard = true;
  const channel = directChannel({ from: parseNodeName('node1'), to: () => other.node, cuts: new Map() });
  Object.assign(here.node, {
    peers: {
      channel: () => (isOtherHeard ? Promise.resolve(channel) : Promise.reject(new KedgeError('peer-unreachable', 'cut'))),
      migrationAddress: () => '127.0.0.1',
    },
  });
});
afterEach(() => {
  here.remove();
  other.remove();
});

describe('a node that was given up and comes back', () => {
  test.each([
    ['incoming', 2],
    ['armed', 2],
    ['owned', 2],
    ['releasing', 1],
    ['released', 1],
    ['owned', 3],
  ] as const)('finds %s(%i) void, before it has registered and without asking anybody', async (state, generation) => {
    await here.record(state, generation);
    isOtherHeard = false;
    const voided = voidedBelow(4);
    expect(await applyVoided(rebooted(), [voided])).toEqual([voided]);
    expect(await here.state()).toBe(`revoked(${generation})`);
    // A second registration, its answer to the first having been lost.
    expect(await applyVoided(rebooted(), [voided])).toEqual([voided]);
  });

  test('leaves a record of a later time alone', async () => {
    await here.record('owned', 4);
    expect(await applyVoided(rebooted(), [voidedBelow(4)])).toHaveLength(1);
    expect(await here.state()).toBe('owned(4)');
  });

  test('removes a copy that was never taken over, and keeps disks that were its own', async () => {
    const volumes = await here.prepare(2);
    for (const volume of volumes) await here.fill(2, volume);
    await here.publish(2, volumes);
    await here.arm(2);
    await applyVoided(rebooted(), [voidedBelow(3)]);
    expect(await Promise.all(volumes.map((volume) => here.has(volume)))).toEqual([false, false]);

    const owned = await here.takeOver(6);
    await applyVoided(rebooted(), [{ ...voidedBelow(7), migrationId: stepOf(6).migrationId }]);
    expect(await here.state()).toBe('revoked(6)');
    expect(await Promise.all(owned.map((volume) => here.has(volume)))).toEqual([true, true]);
  });

  test('that was not off at all gives nothing up before another node surely has the guest', async () => {
    await here.record('owned', 2);
    expect(await applyVoided(here.node, [voidedBelow(3)])).toEqual([]);
    isOtherHeard = false;
    expect(await applyVoided(here.node, [voidedBelow(3)])).toEqual([]);
    expect(await here.state()).toBe('owned(2)');
    isOtherHeard = true;
    await other.record('owned', 3);
    expect(await applyVoided(here.node, [voidedBelow(3)])).toHaveLength(1);
    expect(await here.state()).toBe('revoked(2)');
  });

  test('takes no word to go before it has registered, and none afterwards', async () => {
    const volumes = await here.prepare(2);
    for (const volume of volumes) await here.fill(2, volume);
    await here.publish(2, volumes);
    await here.arm(2);
    Object.assign(here.node, { bootId: 'next', boot: { confirmed: false } });
    await expect(here.go(2)).rejects.toMatchObject({ code: 'outcome-unknown' });
    await applyVoided(here.node, [voidedBelow(3)]);
    Object.assign(here.node, { boot: { confirmed: true } });
    await expect(here.go(2)).rejects.toMatchObject({ code: 'peer-refused' });
  });
});

describe('a target that takes a guest over without its source', () => {
  async function copied(): Promise<void> {
    const volumes = await here.prepare(2);
    for (const volume of volumes) await here.fill(2, volume);
    await here.publish(2, volumes);
  }

  test.each(['published', 'armed'] as const)('does so under g+3 from a copy that was %s, once', async (stage) => {
    await copied();
    if (stage === 'armed') await here.arm(2);
    isOtherHeard = false;
    for (let times = 0; times < 2; times += 1) {
      expect(await takeOverAlone(here.node, STEP, TAKER)).toEqual({ startedAt: null });
      expect(await here.state()).toBe('owned(4)');
    }
  });

  test('does not with a copy that is not whole', async () => {
    await here.prepare(2);
    isOtherHeard = false;
    await expect(takeOverAlone(here.node, STEP, TAKER)).rejects.toMatchObject({ code: 'peer-refused' });
    expect(await here.state()).toBe('incoming(2)');
  });

  test('does not while the source answers', async () => {
    await copied();
    await other.record('released', 1);
    await expect(takeOverAlone(here.node, STEP, TAKER)).rejects.toMatchObject({ code: 'node-alive' });
    Object.assign(other.node, { bootId: 'next' });
    await expect(takeOverAlone(here.node, STEP, TAKER)).rejects.toMatchObject({ code: 'outcome-unknown' });
    await applyVoided(Object.assign(other.node, { boot: { confirmed: false } }), [voidedBelow(4)]);
    await takeOverAlone(here.node, STEP, TAKER);
    expect([await here.state(), await other.state()]).toEqual(['owned(4)', 'revoked(1)']);
  });
});
