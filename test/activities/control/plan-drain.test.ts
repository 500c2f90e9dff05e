/** What a drain and a balance see of migrations that they have not begun. */
import { describe, expect, test } from 'vitest';
import type { ClusterAccess } from '../../../activities/control/cluster-access.js';
import { planBalance } from '../../../activities/control/plan-balance.js';
import { planDrain } from '../../../activities/control/plan-drain.js';
import { newDrain } from '../../../src/domain/drain/drain-state.js';
import { judgeDrain } from '../../../src/domain/drain/judge-drain.js';
import type { DrainQuestion } from '../../../src/domain/drain/next-steps.js';
import { parseNodeName } from '../../../src/domain/ids.js';
import type { NodeStatus } from '../../../src/domain/node-facts.js';
import { DEFAULT_BALANCE_LIMITS } from '../../../src/domain/plan/plan-balance.js';
import type { SnapshotGuest } from '../../../src/domain/plan/snapshot.js';
import { inventory } from '../../support/migration-facts.js';
import { plainGuest } from '../../support/plain-guest.js';
import { plainCluster, plainNode } from '../../support/plain-node.js';

const NOW = '2026-12-01T22:00:00.000Z';
const [NODE1, NODE2] = [parseNodeName('node1'), parseNodeName('node2')];
const QUESTION: DrainQuestion = {
  plan: 'evacuate',
  node: NODE2,
  state: newDrain(NOW),
  parallel: 2,
  now: NOW,
  until: null,
  force: null,
  options: {},
  moveRetryMs: 30_000,
  lagMs: 15_000,
};
const pauses = { drainLookMs: 10_000, lookAgainMs: 700 };
const MOVING = 'a migration of it runs';

const snapshot = (guests: readonly SnapshotGuest[]) =>
  plainCluster(
    ['node1', 'node2', 'node3'].map((name) => plainNode(name)),
    guests,
  );

type Parts = Pick<ClusterAccess, 'takeSnapshot' | 'readMoves' | 'nodeStatus' | 'blackouts'>;
const cluster = (guests: readonly SnapshotGuest[], moves: Awaited<ReturnType<Parts['readMoves']>>): Parts => ({
  readMoves: () => Promise.resolve(moves),
  takeSnapshot: () => Promise.resolve(snapshot(guests)),
  nodeStatus: () => Promise.resolve(null),
  blackouts: () => Promise.resolve([]),
});
const verdictOf = async (parts: Parts) => {
  const { steps } = await planDrain(parts, QUESTION);
  return { waiting: steps.waiting, verdict: judgeDrain(steps, QUESTION.state, { timeIsUp: false, pauses }) };
};

describe('a drain', () => {
  test('waits for a migration to its node that has its slot, or a place in the queue', async () => {
    const moves = [{ holder: 'migration-101', nodes: [NODE1, NODE2] }];
    const { waiting, verdict } = await verdictOf(cluster([plainGuest(101, 'node1', { unmovable: MOVING })], moves));
    expect(waiting).toEqual([{ vmid: 101, reason: 'somebody else moves it to node2' }]);
    expect(verdict).toEqual({ do: 'wait', lookAfterMs: 10_000, idle: false });
  });

  test('waits for a migration of somebody else from its node, for as long as that is in the queue', async () => {
    const moves = [{ holder: 'migration-101', nodes: [NODE2, NODE1] }];
    const { waiting, verdict } = await verdictOf(cluster([plainGuest(101, 'node2', { unmovable: MOVING })], moves));
    expect(waiting).toEqual([{ vmid: 101, reason: 'somebody else moves it to node1' }]);
    expect(verdict).toEqual({ do: 'wait', lookAfterMs: 10_000, idle: false });
  });

  test('ends on an empty node only by an inventory that is newer than the look at the migrations', async () => {
    const guests = [plainGuest(101, 'node1')];
    let looks = 0;
    const parts: Parts = {
      ...cluster(guests, []),
      // The migration has ended before the look, and the node's heartbeat has yet to tell of its guest.
      takeSnapshot: () => Promise.resolve(snapshot(looks < 3 ? guests : [plainGuest(101, 'node2')])),
      nodeStatus: () => {
        looks += 1;
        return Promise.resolve(statusAt(`2026-12-01T22:00:0${Math.min(looks, 9)}Z`));
      },
    };
    const { steps } = await planDrain(parts, QUESTION);
    expect(steps.moves).toMatchObject([{ vmid: 101, from: 'node2' }]);
  });
});

test('a balance leaves alone the nodes of migrations that wait for their slots', async () => {
  const guests = Array.from({ length: 12 }, (_, at) => plainGuest(101 + at, 'node1', { memoryBytes: 4 * 2 ** 30 }));
  const question = { state: newDrain(NOW), limits: DEFAULT_BALANCE_LIMITS, parallel: 9, now: NOW, until: null, leave: [], memory: null } as const;
  const ask = (moves: Awaited<ReturnType<Parts['readMoves']>>) => planBalance(cluster(guests, moves), { ...question, options: {}, moveRetryMs: 1, lagMs: 1 });
  expect(new Set((await ask([])).moves.map(({ to }) => to))).toEqual(new Set(['node2', 'node3']));
  const { moves } = await ask([{ holder: 'migration-101', nodes: [NODE2, NODE2] }]);
  expect(new Set(moves.map(({ to }) => to))).toEqual(new Set(['node3']));
});

function statusAt(at: string): NodeStatus {
  const told = { inventory: inventory(NODE2, { at }), inventoryAgeMs: 100 };
  return { node: NODE2, bootId: 'boot', registeredAt: NOW, cordoned: true, silentSince: null, ...told };
}
