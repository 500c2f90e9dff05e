/** Drains of clusters of chance, played to their end without Temporal: the moves end in any order, some fail, guests come meanwhile. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomCluster } from '../../../../bench/plan/random-cluster.js';
import { moveBegun, moveDone, moveFailed, newDrain, shutDownBegun, shutDownEnded } from '../../../../src/domain/drain/drain-state.js';
import { judgeDrain } from '../../../../src/domain/drain/judge-drain.js';
import { nextSteps, type DrainQuestion } from '../../../../src/domain/drain/next-steps.js';
import { parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { ClusterSnapshot } from '../../../../src/domain/plan/snapshot.js';

const NODE = parseNodeName('node1');
const GIB = 2 ** 30;
const drains = fc.record({
  shape: fc.record({
    seed: fc.nat(),
    nodes: fc.integer({ min: 2, max: 5 }),
    guests: fc.integer({ min: 1, max: 25 }),
    rules: fc.integer({ min: 0, max: 3 }),
    full: fc.double({ min: 0.3, max: 0.9, noNaN: true }),
  }),
  plan: fc.constantFrom<DrainQuestion['plan']>('evacuate', 'restore'),
  parallel: fc.integer({ min: 1, max: 4 }),
  fails: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
  order: fc.array(fc.nat(), { minLength: 1, maxLength: 7 }),
});

/** Plays it; throws when a promise is broken on the way. */
function play({ shape, plan, parallel, fails, order }: typeof drains extends fc.Arbitrary<infer Value> ? Value : never): number {
  let snapshot: ClusterSnapshot = randomCluster(shape);
  const room = new Map(snapshot.nodes.map(({ name, memoryBytes, reservedBytes }) => [name, memoryBytes - reservedBytes]));
  const start = Date.parse('2026-03-01T00:00:00Z');
  let state = newDrain(new Date(start).toISOString());
  for (let turn = 0; turn < 1_000; turn += 1) {
    // A minute a turn: pauses after failures pass, and so does the time of those who wait.
    const now = new Date(start + turn * 60_000).toISOString();
    const force = turn > 20 ? 'skip' : null;
    const steps = nextSteps(snapshot, [], { plan, node: NODE, state, parallel, now, until: null, force, options: {}, moveRetryMs: 30_000, lagMs: 15_000 });
    for (const move of steps.moves) {
      expect([...state.underWay.map(({ vmid }) => vmid), ...state.shuttingDown, ...state.shutDown]).not.toContain(move.vmid);
      state = moveBegun(state, move);
    }
    for (const vmid of steps.shutDowns) state = shutDownBegun(state, vmid);
    expect(state.underWay.length + state.shuttingDown.length).toBeLessThanOrEqual(parallel);
    for (const { to } of state.underWay) expect(loadOf(to)).toBeLessThanOrEqual(room.get(to) ?? 0);
    const verdict = judgeDrain(steps, state, { timeIsUp: false, pauses: { drainLookMs: 1, lookAgainMs: 1 } });
    if (verdict.do === 'end') {
      if (plan !== 'evacuate') return turn;
      const told = new Set([...verdict.stayed.map(({ vmid }) => vmid), ...state.shutDown]);
      for (const { vmid, node } of snapshot.guests) if (node === NODE) expect(told).toContain(vmid);
      return turn;
    }
    if (verdict.idle) state = { ...state, idleLooks: state.idleLooks + 1 };
    const move = state.underWay[(order[turn % order.length] ?? 0) % Math.max(1, state.underWay.length)];
    if (move !== undefined && fails[turn % fails.length] === true) state = moveFailed(state, move, { code: 'rolled-back', reason: 'chance', at: now });
    else if (move !== undefined) {
      state = moveDone(state, move, { migration: '', at: now });
      snapshot = { ...snapshot, guests: snapshot.guests.map((guest) => (guest.vmid === move.vmid ? { ...guest, node: move.to } : guest)) };
    }
    // A guest is off before its drain hears of that.
    const [off] = state.shuttingDown;
    if (off !== undefined && turn % 2 === 1) state = shutDownEnded(state, off, null);
    else if (off !== undefined) {
      snapshot = { ...snapshot, guests: snapshot.guests.map((guest) => (guest.vmid === off ? { ...guest, running: false } : guest)) };
    }
    const [pattern] = snapshot.guests;
    if (turn === 3 && pattern !== undefined)
      snapshot = { ...snapshot, guests: [...snapshot.guests, { ...pattern, vmid: parseVmid(900), node: NODE, running: false, memoryBytes: GIB, home: null }] };
  }
  throw new Error('It does not end');

  /** Memory of those there and of those on their way there. */
  function loadOf(node: string): number {
    const coming = new Set(state.underWay.filter(({ to }) => to === node).map(({ vmid }) => vmid));
    return snapshot.guests.reduce((sum, guest) => sum + (guest.running && (guest.node === node || coming.has(guest.vmid)) ? guest.memoryBytes : 0), 0);
  }
}

test('never two moves of one guest, never more than the window or than a node can hold; it ends, and tells of each guest that stays', () => {
  fc.assert(
    fc.property(drains, (drain) => {
      play(drain);
    }),
    { numRuns: 600 },
  );
});

test('a guest that can not be planned for at this moment is looked at again before the drain gives it up', () => {
  const snapshot = randomCluster({ seed: 3, nodes: 2, guests: 1, rules: 0, full: 0.3 });
  const guests = snapshot.guests.map((guest) => ({ ...guest, node: NODE, pinned: false, unmovable: 'its disks were not looked at yet' }));
  const now = '2026-03-01T00:00:00Z';
  const question = { plan: 'evacuate', node: NODE, parallel: 1, now, until: null, force: null, options: {}, moveRetryMs: 1, lagMs: 1 } as const;
  const state = newDrain(now);
  const steps = nextSteps({ ...snapshot, guests }, [], { ...question, state });
  expect([steps.moves, steps.stays]).toEqual([[], []]);
  expect(steps.stuck.map(({ reason }) => reason)).toEqual(['its disks were not looked at yet']);
  const pauses = { drainLookMs: 7, lookAgainMs: 1 };
  expect(judgeDrain(steps, state, { timeIsUp: false, pauses })).toEqual({ do: 'wait', lookAfterMs: 7, idle: true });
  expect(judgeDrain(steps, { ...state, idleLooks: 99 }, { timeIsUp: false, pauses })).toMatchObject({ do: 'end', end: 'some-stayed' });
});
