/** What holds for every balance, on clusters of chance: judged by a reckoning of its own. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomCluster } from '../../../../bench/plan/random-cluster.js';
import { asNow } from '../../../../src/domain/balance/load-memory.js';
import { nextBalance, type BalanceQuestion, type BalanceSteps } from '../../../../src/domain/balance/next-balance.js';
import { moveBegun, moveDone, newDrain, type DrainState } from '../../../../src/domain/drain/drain-state.js';
import type { NextMove } from '../../../../src/domain/drain/next-steps.js';
import { planBalance } from '../../../../src/domain/plan/plan-balance.js';
import type { ClusterSnapshot, GuestRule, SnapshotNode } from '../../../../src/domain/plan/snapshot.js';

const AT = '2026-03-01T12:00:00.000Z';
const LIMITS = { maxMoves: 60, tolerance: 0.03, minGain: 0.001 };

const clusters = fc
  .record({
    seed: fc.nat(),
    nodes: fc.integer({ min: 2, max: 6 }),
    guests: fc.integer({ min: 1, max: 30 }),
    rules: fc.integer({ min: 0, max: 4 }),
    full: fc.double({ min: 0.3, max: 0.95, noNaN: true }),
    survivesOneNode: fc.boolean(),
    pressures: fc.array(fc.record({ memory: fc.integer({ min: 0, max: 100 }), cpu: fc.integer({ min: 0, max: 100 }) }), { minLength: 6, maxLength: 6 }),
  })
  .map(({ pressures, ...shape }): ClusterSnapshot => {
    const snapshot = randomCluster(shape);
    return { ...snapshot, nodes: snapshot.nodes.map((node, at) => ({ ...node, pressure: pressures[at] })) };
  });

const holds = (check: (snapshot: ClusterSnapshot) => void): void => {
  fc.assert(fc.property(clusters, check), { numRuns: 100 });
};

const question = (state: DrainState, more: Partial<BalanceQuestion> = {}): BalanceQuestion => ({
  state,
  limits: LIMITS,
  parallel: 3,
  now: AT,
  until: null,
  leave: [],
  memory: null,
  options: {},
  moveRetryMs: 30_000,
  lagMs: 15_000,
  ...more,
});

const moved = (snapshot: ClusterSnapshot, moves: readonly NextMove[]): ClusterSnapshot => ({
  ...snapshot,
  guests: snapshot.guests.map((guest) => ({ ...guest, node: moves.find(({ vmid }) => vmid === guest.vmid)?.to ?? guest.node })),
});

/** Rounds of looks until nothing follows, as the workflow makes them; `seen` is shown each cluster on the way. */
function balance(snapshot: ClusterSnapshot, seen: (cluster: ClusterSnapshot, moves: readonly NextMove[]) => void = () => undefined): ClusterSnapshot {
  let cluster = snapshot;
  let state = newDrain(AT);
  let memory: BalanceSteps['memory'] = null;
  for (let look = 0; look < 100; look += 1) {
    const steps = nextBalance(cluster, [], question(state, { memory }));
    memory ??= steps.memory;
    if (steps.moves.length === 0) return cluster;
    seen(cluster, steps.moves);
    for (const move of steps.moves) state = moveDone(moveBegun(state, move), move, { migration: '', at: AT });
    cluster = moved(cluster, steps.moves);
  }
  throw new Error('It does not end');
}

/** Without pressure. */
const calm = (snapshot: ClusterSnapshot): ClusterSnapshot => ({ ...snapshot, nodes: snapshot.nodes.map((node) => ({ ...node, pressure: undefined })) });

function squares(snapshot: ClusterSnapshot): number {
  const full = (node: SnapshotNode): number => {
    const here = snapshot.guests.filter((guest) => guest.node === node.name && guest.running);
    const sum = (of: (guest: (typeof here)[number]) => number): number => here.reduce((total, guest) => total + of(guest), 0);
    return Math.max(sum(({ memoryBytes }) => memoryBytes) / (node.memoryBytes - node.reservedBytes), sum(({ cpuLoad }) => cpuLoad) / (node.cores * node.speed));
  };
  return snapshot.nodes.reduce((total, node) => total + full(node) ** 2, 0);
}

function isBroken(rule: GuestRule, snapshot: ClusterSnapshot): boolean {
  const where = rule.guests.map((vmid) => snapshot.guests.find((guest) => guest.vmid === vmid)!.node);
  if (rule.kind === 'nodes') return where.some((node) => !rule.nodes.includes(node));
  return rule.kind === 'together' ? new Set(where).size > 1 : new Set(where).size < where.length;
}

describe('a balance', () => {
  test('ends, and each step makes the cluster more even than it was, by the loads and the pressure of its beginning', () => {
    holds((snapshot) => {
      // Pressure is of the beginning: a guest that has moved still wants what it wanted.
      const still = calm(asNow(snapshot));
      const after = balance(still, (cluster, moves) => expect(squares(moved(cluster, moves))).toBeLessThan(squares(cluster)));
      expect(squares(after)).toBeLessThanOrEqual(squares(still));
    });
  });

  test('stays better when any one of the moves that run at the same time fails', () => {
    holds((snapshot) => {
      balance(calm(snapshot), (cluster, moves) => {
        for (const failed of moves)
          expect(
            squares(
              moved(
                cluster,
                moves.filter((move) => move !== failed),
              ),
            ),
          ).toBeLessThanOrEqual(squares(cluster) + 1e-9);
      });
    });
  });

  test('breaks no rule that was kept, be it a wish, stops none, and moves no guest that is pinned, away from a closed node, or left alone', () => {
    holds((snapshot) => {
      const closed = snapshot.nodes.filter(({ state }) => state !== 'online').map(({ name }) => name);
      const after = balance(snapshot, (_, moves) => {
        for (const { vmid, way, from, to } of moves) {
          const guest = snapshot.guests.find((each) => each.vmid === vmid)!;
          expect([way, guest.pinned, guest.running, guest.kind]).toEqual(['live', false, true, 'qemu']);
          expect(closed).not.toEqual(expect.arrayContaining([guest.home ?? '']));
          expect(closed.filter((node) => node === from || node === to)).toEqual([]);
        }
      });
      for (const rule of snapshot.rules) if (!isBroken(rule, snapshot)) expect(isBroken(rule, after), rule.id).toBe(false);
      const leave = snapshot.guests.map(({ vmid }) => ({ vmid, reason: 'it has just moved' }));
      expect(nextBalance(snapshot, [], question(newDrain(AT), { leave })).moves).toEqual([]);
    });
  });

  test('moves a guest once, and a cluster that was just balanced has nothing to move for whoever leaves those guests alone', () => {
    holds((snapshot) => {
      const vmids: number[] = [];
      const after = balance(snapshot, (_, moves) => vmids.push(...moves.map(({ vmid }) => vmid)));
      expect(new Set(vmids).size).toBe(vmids.length);
      const { memory } = nextBalance(snapshot, [], question(newDrain(AT)));
      const leave = snapshot.guests.filter(({ vmid }) => vmids.includes(vmid)).map(({ vmid }) => ({ vmid, reason: '' }));
      expect(nextBalance(after, [], question(newDrain(AT), { memory, leave })).moves).toEqual([]);
    });
  });

  test('comes back to no cluster that it has left, however often it is repeated', () => {
    holds((snapshot) => {
      const still = calm(asNow(snapshot));
      const places = (cluster: ClusterSnapshot): string => cluster.guests.map(({ node }) => node).join();
      const met = new Set([places(still)]);
      let cluster: ClusterSnapshot = still;
      for (let round = 0; round < 20; round += 1) {
        const next = balance(cluster, (before, moves) => {
          const now = places(moved(before, moves));
          expect(met.has(now)).toBe(false);
          met.add(now);
        });
        if (places(next) === places(cluster)) break;
        cluster = next;
      }
      expect(nextBalance(cluster, [], question(newDrain(AT))).moves).toEqual([]);
    });
  });

  test('is the same for the same cluster', () => {
    holds((snapshot) => {
      const first = nextBalance(snapshot, [], question(newDrain(AT)));
      expect(nextBalance(structuredClone(snapshot), [], question(newDrain(AT)))).toEqual(first);
    });
  });

  test('leaves nodes alone that somebody else moves a guest from or to', () => {
    holds((snapshot) => {
      const [first, second] = snapshot.nodes.map(({ name }) => name);
      const others = [{ vmid: snapshot.guests[0]!.vmid, from: first!, to: second! }];
      for (const { from, to } of nextBalance(snapshot, others, question(newDrain(AT))).moves) {
        expect([first, second]).not.toContain(from);
        expect([first, second]).not.toContain(to);
      }
    });
  });

  test('plans nothing until the snapshot shows the last moves, or no inventory can be so old', () => {
    holds((snapshot) => {
      const { moves, memory } = nextBalance(snapshot, [], question(newDrain(AT), { parallel: 1 }));
      const [move] = moves;
      if (move === undefined) return;
      const state = moveDone(moveBegun(newDrain(AT), move), move, { migration: '', at: AT });
      expect(nextBalance(snapshot, [], question(state, { memory }))).toMatchObject({ lags: true, moves: [] });
      expect(nextBalance(snapshot, [], question(state, { memory, now: '2026-03-01T12:00:20.000Z' })).lags).toBe(false);
      expect(nextBalance(moved(snapshot, moves), [], question(state, { memory })).lags).toBe(false);
    });
  });
});

test('a plan counts what a move costs: a large guest on a slow link stays where a small one goes', () => {
  const cluster = randomCluster({ seed: 7, nodes: 3, guests: 12, rules: 0, full: 0.5 });
  const [first] = cluster.nodes;
  const all = {
    ...cluster,
    guests: cluster.guests.map((guest) => ({
      ...guest,
      node: first!.name,
      kind: 'qemu' as const,
      disks: [],
      bridges: [],
      pinned: false,
      localDevices: [],
      cpuFlags: [],
    })),
  };
  const cheap = planBalance(all, LIMITS).moves.length;
  const dear = planBalance(all, LIMITS, { options: { bandwidthLimit: 100_000 } }).moves.length;
  expect([cheap > 0, dear]).toEqual([true, 0]);
});
