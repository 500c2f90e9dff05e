/** Drains and undrains on a real server; the migrations that they begin end as each test says. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { expectedMs } from '../../src/domain/drain/expected-ms.js';
import { plainGuest } from '../support/plain-guest.js';
import { DrainWorld, failure, startDrainHarness, type DrainHarness } from '../support/drain-harness.js';

const NODES = ['node1', 'node2', 'node3'];
/** Of a move of a plain guest. */
const FORECAST_MS = expectedMs({ way: 'live', bytes: 2 ** 30 }, plainGuest(101, 'node2'), {});
const NODE2 = parseNodeName('node2');
let harness: DrainHarness;
beforeAll(async () => {
  harness = await startDrainHarness(NODES);
});
afterAll(() => harness.stop());

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await delay(20);
};

test('all guests leave, never more than the window at once, over several runs and a new control worker; the undrain brings them home', async () => {
  const world = new DrainWorld(NODES);
  for (let vmid = 101; vmid <= 114; vmid += 1) world.add(vmid, 'node2');
  world.add(150, 'node1');
  await harness.begin(world);
  world.onMove = () => delay(100);
  const ref = await harness.start('evacuate', { node: 'node2', parallel: 3 });
  await until(() => world.moves.length > 4);
  await harness.restartWorker();
  const report = await harness.ended(ref);
  expect([report.end, report.moved.length, report.stayed, world.on('node2')]).toEqual(['done', 14, [], []]);
  expect([2, 3]).toContain(world.mostAtOnce);
  expect([new Set(world.moves).size, world.moves.length]).toEqual([14, 14]);
  expect((await harness.client.workflow.getHandle(ref.workflowId).describe()).runId).not.toBe(ref.firstRunId);
  const { away, cordoned } = await harness.kedge.nodeStatus(NODE2);
  expect([away?.length, cordoned]).toEqual([14, true]);

  world.guests.delete(114);
  const back = await harness.ended(await harness.start('restore', { node: 'node2', parallel: 5 }));
  expect([back.end, back.moved.length, world.on('node2').length]).toEqual(['done', 13, 13]);
  const after = await harness.kedge.nodeStatus(NODE2);
  expect([after.away, after.cordoned]).toEqual([[], false]);
});

test('takes the same decisions after each restart of the control worker, whatever ends together, and however often it is asked', async () => {
  const world = new DrainWorld(NODES);
  for (let vmid = 101; vmid <= 108; vmid += 1) world.add(vmid, 'node2');
  await harness.begin(world);
  const tries = new Map<number, number>();
  // Each first try fails, four of them at the same moment.
  world.onMove = async ({ vmid }) => {
    const before = tries.get(vmid) ?? 0;
    tries.set(vmid, before + 1);
    await delay(before === 0 ? 200 - (Date.now() % 200) : 20);
    if (before === 0) throw failure('rolled-back', 'not now');
  };
  const ref = await harness.start('evacuate', { node: 'node2', parallel: 4 });
  const over = new AbortController();
  const ended = harness.ended(ref).finally(() => over.abort());
  for (let asked = 0; !over.signal.aborted; asked += 1) {
    await harness.kedge.readEvacuation(NODE2, ref).catch(() => null);
    if (asked % 40 === 39) await harness.restartWorker();
    await delay(10);
  }
  const report = await ended;
  expect([report.end, report.moved.length, world.on('node2')]).toEqual(['done', 8, []]);
});

test('once its history is long a drain begins no move until those under way have ended, however long one takes, says so, and then goes on with all that it knew', async () => {
  const world = new DrainWorld(NODES);
  for (let vmid = 101; vmid <= 112; vmid += 1) world.add(vmid, 'node2');
  await harness.begin(world);
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  world.onMove = ({ vmid }) => (vmid === 101 ? opened : delay(50));
  const ref = await harness.start('evacuate', { node: 'node2', parallel: 2 });
  const runId = async (): Promise<string> => (await harness.client.workflow.getHandle(ref.workflowId).describe()).runId;
  await until(() => world.underWay.has(101) && world.underWay.size === 1 && world.moves.length > 3);
  // The others stop well before all have gone.
  let before = 0;
  while (before !== world.moves.length) {
    before = world.moves.length;
    await delay(2_000);
  }
  expect(before).toBeLessThan(12);
  expect([await runId(), [...world.underWay]]).toEqual([ref.firstRunId, [101]]);
  const told = (await harness.kedge.readEvacuation(NODE2, ref))?.report;
  expect(told?.moving.map(({ vmid }) => vmid)).toEqual([101]);
  expect(new Set(told?.stayed.map(({ reason }) => reason))).toEqual(new Set([expect.stringContaining('when all moves that are under way have ended')]));
  open();
  const report = await harness.ended(ref);
  expect([report.end, report.moved.length, world.moves.length]).toEqual(['done', 12, 12]);
  expect(await runId()).not.toBe(ref.firstRunId);
});

test('a move that failed is tried elsewhere, with memory of where; when all have failed the guest stays, with the reasons', async () => {
  const world = new DrainWorld(NODES);
  world.add(101, 'node2');
  world.add(102, 'node2');
  await harness.begin(world);
  world.onMove = ({ vmid, target }) =>
    vmid === 102 || target === 'node1' ? Promise.reject(failure('rolled-back', `no luck on ${target}`)) : Promise.resolve();
  const report = await harness.ended(await harness.start('evacuate', { node: 'node2' }));
  expect(report.end).toBe('some-stayed');
  expect(report.moved).toMatchObject([{ vmid: 101, to: 'node3' }]);
  expect(report.stayed).toMatchObject([{ vmid: 102, reason: expect.stringContaining('no luck on node3') }]);
  expect(world.moves.filter((move) => move.startsWith('102')).sort()).toEqual(['102 node2 node1', '102 node2 node1', '102 node2 node3', '102 node2 node3']);
  expect((await harness.kedge.nodeStatus(NODE2)).away?.map(({ vmid }) => vmid)).toEqual([101]);
});

test('in a blackout a drain moves nothing, fails nothing, says what it waits for, and goes on when it has ended', async () => {
  const world = new DrainWorld(NODES);
  world.add(101, 'node2');
  world.add(102, 'node2');
  await harness.begin(world);
  const nowMs = Date.now();
  const startMs = nowMs - (nowMs % 60_000);
  const endMs = nowMs + 5_000;
  const start = new Date(startMs).toISOString().slice(0, 16);
  world.blackouts = [{ name: 'freeze', zone: 'UTC', start, rule: null, durationMs: endMs - startMs, nodes: null, guests: [parseVmid(101)] }];
  const begins: Record<number, number> = {};
  world.onMove = ({ vmid }) => {
    begins[vmid] = Date.now();
    return Promise.resolve();
  };
  const ref = await harness.start('evacuate', { node: 'node2' });
  const seen = await vi.waitUntil(async () => (await harness.kedge.readEvacuation(NODE2, ref))?.report?.stayed.find(({ vmid }) => vmid === 101), 5_000);
  expect(seen.reason).toBe(`blackout freeze is on until ${new Date(endMs).toISOString()}`);
  const report = await harness.ended(ref);
  expect([report.end, report.failed, report.stayed]).toEqual(['done', [], []]);
  expect(begins[102]).toBeLessThan(endMs);
  expect(begins[101]).toBeGreaterThanOrEqual(endMs);
});

test('guests that wait are waited for, then forced; those to be shut down are, and one that does not obey runs on', async () => {
  const world = new DrainWorld(NODES);
  world.add(101, 'node2', { kind: 'lxc', whenNotLive: 'wait' });
  world.add(102, 'node2', { kind: 'lxc', whenNotLive: 'shutdown' });
  world.add(103, 'node2', { kind: 'lxc', whenNotLive: 'shutdown' });
  world.add(104, 'node2', { pinned: true });
  await harness.begin(world);
  world.onPower = (vmid) => (vmid === 103 ? Promise.reject(failure('shutdown-timeout', 'it did not shut down')) : Promise.resolve());
  const waitUntil = new Date(Date.now() + 1_200).toISOString();
  const report = await harness.ended(await harness.start('evacuate', { node: 'node2', waitUntil, force: 'offline' }));
  expect([report.end, report.shutDown]).toEqual(['some-stayed', [102]]);
  expect(report.moved).toMatchObject([{ vmid: 101 }]);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(waitUntil));
  expect(report.stayed).toMatchObject([{ vmid: 103 }, { vmid: 104 }]);
  expect(world.guests.get(103)?.running).toBe(true);
});

test.for(['update', 'temporal'] as const)('after a cancel (%s) no move begins, those under way end, and the node stays cordoned', async (how) => {
  const world = new DrainWorld(NODES);
  for (let vmid = 101; vmid <= 106; vmid += 1) world.add(vmid, 'node2');
  await harness.begin(world);
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  world.onMove = () => opened;
  const ref = await harness.start('evacuate', { node: 'node2' });
  await until(() => world.underWay.size === 2);
  await expect(harness.start('restore', { node: 'node2' })).rejects.toMatchObject({
    code: 'already-draining',
    message: expect.stringContaining('a drain of it by test runs'),
  });
  if (how === 'update') await harness.kedge.cancelEvacuation(NODE2);
  else await harness.client.workflow.getHandle(ref.workflowId).cancel();
  await delay(100);
  open();
  const report = await harness.ended(ref);
  expect([report.end, report.moved.length, report.stayed.length, world.moves.length]).toEqual(['cancelled', 2, 4, 2]);
  expect((await harness.kedge.nodeStatus(NODE2)).cordoned).toBe(true);
});

test('a cancel ends the moves that have no slot yet, and a drain whose time is up does not wait for theirs: nothing of it has failed', async () => {
  for (const end of ['cancelled', 'out-of-time'] as const) {
    const world = new DrainWorld(NODES);
    for (const vmid of [101, 102, 103]) world.add(vmid, 'node2');
    await harness.begin(world);
    world.queued.add(102).add(103);
    const time = end === 'cancelled' ? {} : { until: new Date(Date.now() + 1_500 + FORECAST_MS).toISOString() };
    const ref = await harness.start('evacuate', { node: 'node2', parallel: 3, ...time });
    await until(() => world.on('node2').length === 2);
    if (end === 'cancelled') await harness.kedge.cancelEvacuation(NODE2);
    const report = await harness.ended(ref);
    expect([report.end, report.moved.map(({ vmid }) => vmid), report.failed]).toEqual([end, [101], []]);
    expect(report.stayed.map(({ vmid }) => vmid).sort()).toEqual([102, 103]);
  }
});

test('a migration of somebody else that waits in the queue of admission is waited for, named, and not for longer than it runs', async () => {
  const world = new DrainWorld(NODES);
  world.add(101, 'node1');
  await harness.begin(world);
  world.queued.add(101);
  const theirs = await harness.kedge.startMigration({ vmid: 101, source: 'node1', target: 'node2' });
  await harness.kedge.requestSlot({ holder: theirs.workflowId, runId: theirs.runId, nodes: ['node1', 'node2'].map(parseNodeName), priority: 'user' });
  const ref = await harness.start('evacuate', { node: 'node2' });
  await vi.waitFor(async () => {
    const view = await harness.kedge.readEvacuation(NODE2, ref);
    expect(view).toMatchObject({ running: true, report: { stayed: [{ vmid: 101, reason: 'somebody else moves it to node2' }] } });
  }, 5_000);
  // As force does it: its place in admission is not given back.
  await harness.client.workflow.getHandle(theirs.workflowId).terminate();
  expect((await harness.ended(ref)).end).toBe('done');
});

test('two drains at once, each the target of the other, end: guests go to the third node as far as it has room', async () => {
  const world = new DrainWorld(NODES, 6);
  for (const vmid of [101, 102, 103, 104]) world.add(vmid, 'node1');
  for (const vmid of [201, 202, 203, 204]) world.add(vmid, 'node2');
  await harness.begin(world);
  world.onMove = () => delay(50);
  const refs = await Promise.all(['node1', 'node2'].map((node) => harness.start('evacuate', { node })));
  const reports = await Promise.all(refs.map((ref) => harness.ended(ref)));
  expect(world.on('node3').length).toBeGreaterThanOrEqual(6);
  const stayed = reports.flatMap((report) => report.stayed);
  expect(stayed.length).toBe(8 - world.on('node3').length);
  for (const { reason } of stayed) expect(reason).toContain('it takes no new guests');
});

test('a guest that arrives meanwhile leaves too; a migration of somebody else is waited for', async () => {
  const world = new DrainWorld(NODES);
  world.add(101, 'node2');
  world.add(102, 'node2');
  await harness.begin(world);
  const theirs = harness.kedge.startMigration({ vmid: 102, source: 'node2', target: 'node1' });
  world.onMove = async ({ vmid }) => {
    await delay(vmid === 102 ? 600 : 50);
    if (!world.guests.has(103)) world.add(103, 'node2');
  };
  await theirs;
  await until(() => world.underWay.has(102));
  const report = await harness.ended(await harness.start('evacuate', { node: 'node2' }));
  expect([report.end, world.on('node2')]).toEqual(['done', []]);
  expect(world.moves.filter((move) => move.startsWith('102'))).toEqual(['102 node2 node1']);
});

test('no move begins that may end too late; input that can not be read changes nothing', async () => {
  const world = new DrainWorld(NODES);
  world.add(101, 'node2');
  await harness.begin(world);
  const report = await harness.ended(await harness.start('evacuate', { node: 'node2', until: new Date(Date.now() + 2_000).toISOString() }));
  expect([report.end, report.moved]).toEqual(['out-of-time', []]);
  await expect(harness.start('evacuate', { node: 'node2', parallel: 0 })).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('parallel'),
  });
});
