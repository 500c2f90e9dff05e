/** Balances and the balancer on a real server; the migrations that they begin end as each test says. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BalanceClusterInput, BalanceReport } from '../../src/domain/balance/balance.js';
import { BALANCE_ID, BALANCER_ID, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { CONTROL_START } from '../../src/client/control-start.js';
import { DrainWorld, failure, startDrainHarness, TIMINGS, type DrainHarness } from '../support/drain-harness.js';

const NODES = ['node1', 'node2', 'node3'];
let harness: DrainHarness;
let world: DrainWorld;
beforeAll(async () => {
  harness = await startDrainHarness(NODES);
});
afterAll(() => harness.stop());
beforeEach(async () => {
  world = new DrainWorld(NODES, 16);
  for (let vmid = 101; vmid <= 112; vmid += 1) world.add(vmid, 'node1');
  await harness.begin(world);
});

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await delay(20);
};
const start = (input: BalanceClusterInput = {}) => harness.kedge.balance.start({ requestedBy: 'test', ...input, timings: TIMINGS });
const ended = ({ firstRunId }: { firstRunId: string }): Promise<BalanceReport> =>
  harness.client.workflow.getHandle<() => Promise<BalanceReport>>(BALANCE_ID, undefined, { firstExecutionRunId: firstRunId }).result();

test('moves guests of the fullest node by priority balance, never more than the window at once, over a new control worker, until all are near the mean', async () => {
  const priorities = new Set<unknown>();
  world.onMove = ({ priority }) => delay(100).then(() => void priorities.add(priority));
  const ref = await start({ maxMoves: 20, tolerance: 0.07, parallel: 2 });
  await until(() => world.moves.length > 2);
  await expect(start()).rejects.toMatchObject({ code: 'already-balancing', message: expect.stringContaining('one by test runs') });
  await harness.restartWorker();
  const report = await ended(ref);
  expect([report.end, report.moved.length, world.mostAtOnce]).toEqual(['done', world.moves.length, 2]);
  expect(report.nodes.map(({ now }) => now)).toEqual(report.nodes.map(({ node }) => world.on(node).length / 16));
  expect([...priorities]).toEqual(['balance']);
  expect(new Set(world.moves.map((move) => move.split(' ')[0])).size).toBe(world.moves.length);
  const again = await ended(await start({ maxMoves: 20, tolerance: 0.07 }));
  expect([again.end, again.moved]).toEqual(['done', []]);
});

test('a guest whose move fails stays, another one moves; too many failures end it, and so does the limit', async () => {
  world.onMove = ({ vmid }) => (vmid <= 102 ? Promise.reject(failure('cancelled', 'not wanted')) : Promise.resolve());
  const report = await ended(await start({ maxMoves: 4, parallel: 1 }));
  expect([report.end, report.moved.length, report.failed.map(({ vmid }) => vmid)]).toEqual(['most-moves', 4, [101, 102]]);
  expect(report.stayed).toMatchObject([{ vmid: 101 }, { vmid: 102 }]);
  world.onMove = () => Promise.reject(failure('rolled-back', 'no luck'));
  const failing = await ended(await start({ maxMoves: 2, parallel: 1 }));
  expect([failing.end, failing.moved.length, failing.failed.length]).toEqual(['failing', 0, 3]);
});

test('after a cancel no move begins, and those under way end', async () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  world.onMove = () => opened;
  const ref = await start();
  await until(() => world.underWay.size === 2);
  await harness.kedge.balance.cancel();
  open();
  const report = await ended(ref);
  expect([report.end, report.moved.length, world.moves.length]).toEqual(['cancelled', 2, 2]);
  await expect(harness.kedge.balance.cancel()).rejects.toMatchObject({ code: 'not-found' });
});

test('input that makes no sense is refused, and touches nothing', async () => {
  await expect(start({ tolerance: 2 })).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining('tolerance') });
  const handle = await harness.client.workflow.start(WORKFLOW_TYPES.balanceCluster, { ...CONTROL_START, workflowId: BALANCE_ID, args: [{ maxMoves: 0 }] });
  await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'bad-input' } });
  expect(await harness.kedge.balance.read()).toMatchObject({ running: false, failure: expect.stringContaining('maxMoves') });
  expect(world.moves).toEqual([]);
});

test('the balancer begins a round once it has seen enough, leaves those alone that have moved, and ends when it is not wanted', async () => {
  // After one that failed, as that of the test before, it would rest.
  await ended(await start({ tolerance: 1 }));
  // A sample at most every minute: the one that it carries is old enough for its history.
  harness.policy = { intervalMs: 100, historyMs: 1_000, beginAbove: 0.2, stopBelow: 0.1, cooldownMs: 3_600_000, maxMoves: 2, parallel: 1, onlyIn: [] };
  const atMs = Date.now() - 120_000;
  const nodes = world.nodes.map(({ name }) => ({ node: name, memoryPressure: 0, loads: world.on(name).map((vmid) => [vmid, 0]) }));
  const carried = { memory: { sinceMs: atMs - 60_000, atMs, nodes }, cooling: [] };
  const handle = await harness.client.workflow.start(WORKFLOW_TYPES.balancer, {
    ...CONTROL_START,
    workflowId: BALANCER_ID,
    args: [{ carried, timings: TIMINGS }],
  });
  await harness.kedge.balance.ensureBalancer();
  // Two rounds at least.
  await until(() => world.moves.length > 2);
  await until(async () => (await harness.kedge.balance.readBalancer())?.text.includes('even enough') === true);
  harness.policy = null;
  await handle.result();
  expect(await harness.kedge.balance.readBalancer()).toBeNull();
  expect(new Set(world.moves.map((move) => move.split(' ')[0])).size).toBe(world.moves.length);
  expect(world.on('node1').length).toBeLessThan(8);
});
