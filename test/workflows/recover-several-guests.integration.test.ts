/** Several guests of one lost node: who is taken at the same time, who waits, and what one that fails means for the others. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TakeOverResult } from '../../src/domain/lost-guest.js';
import { guest, refusal, startRecoveryHarness, TAKEN, type FakeCluster, type RecoveryHarness } from '../support/recovery-harness.js';

let harness: RecoveryHarness;
let world: FakeCluster;
beforeAll(async () => {
  harness = await startRecoveryHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  world = await harness.reset();
});

/** From then on its storage names its new owner. */
function taken(vmid: number): TakeOverResult {
  world.guests = world.guests.filter((other) => other.vmid !== vmid);
  return TAKEN;
}

/** Takers that answer when they are let; `asked` has who was asked for so far. */
function heldTakers() {
  const held = new Map<number, (result: TakeOverResult) => void>();
  world.take = (_, { vmid }) => new Promise((resolve) => void held.set(vmid, resolve));
  return {
    asked: () => [...held.keys()].sort((one, other) => one - other),
    letTake: (vmid: number) => held.get(vmid)?.(taken(vmid)),
  };
}

const numbers = (guests: readonly { readonly vmid: number }[]): number[] => guests.map(({ vmid }) => vmid);

describe('the guests of a lost node', { timeout: 30_000 }, () => {
  test('are taken at the same time, two for each node that is heard', async () => {
    world.guests = [101, 102, 103, 104, 105, 106, 107].map((vmid) => guest(vmid));
    const takers = heldTakers();
    await harness.begin();
    await expect.poll(takers.asked, { timeout: 20_000 }).toEqual([101, 102, 103, 104, 105, 106]);
    takers.letTake(103);
    await expect.poll(takers.asked, { timeout: 20_000 }).toContain(107);
    for (const vmid of takers.asked()) takers.letTake(vmid);
    const report = await harness.seen(({ taken: all }) => all.length === 7);
    expect([numbers(report.taken)[0], report.owed]).toEqual([103, []]);
  });

  test('wait for those that start before them', async () => {
    world.guests = [guest(101), guest(102, { startOrder: 2 }), guest(103, { startOrder: 1 }), guest(104, { startOrder: 1 })];
    const takers = heldTakers();
    await harness.begin();
    await expect.poll(takers.asked, { timeout: 20_000 }).toEqual([103, 104]);
    takers.letTake(104);
    await harness.seen((report) => report.taken.length === 1);
    expect(takers.asked()).toEqual([103, 104]);
    takers.letTake(103);
    await expect.poll(takers.asked, { timeout: 20_000 }).toEqual([102, 103, 104]);
    takers.letTake(102);
    await expect.poll(takers.asked, { timeout: 20_000 }).toEqual([101, 102, 103, 104]);
    takers.letTake(101);
    expect(numbers((await harness.seen((report) => report.taken.length === 4)).taken)).toEqual([104, 103, 102, 101]);
  });

  test('are each taken once, when the decision about one of them can not be made now', async () => {
    world.guests = [guest(101), guest(102), guest(103)];
    world.isVoidingBroken = true;
    world.take = (_, { vmid }) => taken(vmid);
    await harness.begin();
    const first = await harness.seen(({ trouble }) => trouble != null);
    expect([numbers(first.taken), first.trouble]).toEqual([[101], expect.stringContaining('Cannot ask the entity')]);
    world.isVoidingBroken = false;
    const last = await harness.seen((report) => report.taken.length === 3 && report.trouble === null);
    expect(numbers(last.taken).sort()).toEqual([101, 102, 103]);
    expect(world.asked.filter(({ vmid }) => vmid === 101)).toHaveLength(1);
  });

  test('go where there is room beside those that are being taken, also when the best node refuses', async () => {
    // Each node has room for one.
    world.guests = [guest(101, { memoryBytes: 800 }), guest(102, { memoryBytes: 800 }), guest(103, { memoryBytes: 800 })];
    const places = new Map<number, string[]>();
    world.take = (by, { vmid }) => {
      places.set(vmid, [...(places.get(vmid) ?? []), by]);
      return vmid === 101 && places.get(vmid)?.length === 1 ? refusal('not now') : taken(vmid);
    };
    await harness.begin();
    const report = await harness.seen(({ taken: all }) => all.length === 3);
    const nodes = report.taken.map(({ to }) => to);
    expect(new Set(nodes).size).toBe(3);
  });
});
