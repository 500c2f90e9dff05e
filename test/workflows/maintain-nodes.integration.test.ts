/** Windows on a real server: its schedules, fake drains and fake work; what runs on a node is what the test says. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseNodeName } from '../../src/domain/ids.js';
import type { WindowReport } from '../../src/domain/window/window.js';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';
import { windowScheduleId } from '../../src/domain/workflow-names.js';
import { startWindowHarness, windowOf, type WindowHarness } from '../support/window-harness.js';
import type { maintainNode } from '../../workflows/maintain-node.js';

let harness: WindowHarness;
beforeAll(async () => {
  harness = await startWindowHarness();
});
afterAll(() => harness.stop());
beforeEach(() => harness.reset());

const results = ({ outcomes }: WindowReport): Record<string, string> => Object.fromEntries(outcomes.map(({ node, result }) => [node, result]));

test('nodes are worked on in their order, one at a time', async () => {
  await harness.open({ name: 'order', nodes: ['a1', 'a2', 'a3'] });
  expect(await harness.ended('order')).toMatchObject({ end: 'done', finished: ['a1', 'a2', 'a3'], warning: null });
  expect(harness.log).toEqual(['patch a1', 'patch a2', 'patch a3']);
  expect(harness.most).toBe(1);
});

test('as many at once as the window says', async () => {
  harness.work = () => delay(1_000).then(() => ({}));
  await harness.open({ name: 'two', nodes: ['b1', 'b2', 'b3', 'b4'], atOnce: 2 });
  expect(await harness.ended('two')).toMatchObject({ end: 'done' });
  expect(harness.most).toBe(2);
});

test('a node that does not get empty is not touched; failed work keeps the node cordoned and stops the roll; the next opening goes on with the rest', async () => {
  harness.work = (node) => Promise.resolve({ exitCode: node === 'c2' ? 7 : 0 });
  await harness.open({ name: 'rest', nodes: ['full1', 'c1', 'c2', 'c3'], restore: false, force: 'offline', parallel: 4 });
  const first = await harness.ended('rest');
  expect(first).toMatchObject({ end: 'failed', finished: ['c1'] });
  expect(results(first)).toEqual({ full1: 'not-touched', c1: 'done', c2: 'failed' });
  // It waits for half of the hour.
  expect(first.outcomes[0]?.reason).toBe('The node is not empty: 101: 4 at a time, offline after 30 min');
  expect(harness.log).toEqual(['uncordon full1', 'patch c1', 'uncordon c1', 'patch c2']);
  harness.work = () => Promise.resolve({});
  harness.log = [];
  await harness.kedge.windows.runNow('rest');
  const reported = (finished: readonly string[]) =>
    expect.poll(async () => (await harness.kedge.windows.show('rest')).report, { timeout: 60_000 }).toMatchObject({ end: 'some-left', finished });
  await reported(['c1', 'c2', 'c3']);
  expect(harness.log.filter((line) => line.startsWith('patch'))).toEqual(['patch c2', 'patch c3']);
  // Each has had its turn, and the one that does not get empty keeps nobody waiting.
  harness.log = [];
  await harness.kedge.windows.runNow('rest');
  await expect.poll(() => harness.log, { timeout: 60_000 }).toContain('patch c1');
  await reported(['c1', 'c2', 'c3']);
  expect(harness.log.filter((line) => line.startsWith('patch'))).toEqual(['patch c1', 'patch c2', 'patch c3']);
});

test('a node is not touched while anything runs there, whatever the drain says; one that does not say is not touched either', async () => {
  const [used, mute] = [parseNodeName('used1'), parseNodeName('mute1')];
  await Promise.all([used, mute].map((each) => harness.serveNode(each)));
  harness.processes.set(used, [{ vmid: 101, pid: 7 }]);
  harness.processes.set(mute, null);
  await harness.open({ name: 'used', nodes: [used, mute], restore: false });
  const report = await harness.ended('used');
  expect(report.outcomes).toMatchObject([
    { result: 'not-touched', reason: 'The node is not empty: 101 runs there' },
    { result: 'not-touched', reason: 'The node does not say whether it is empty: no answer' },
  ]);
  expect(harness.log).toEqual([`uncordon ${used}`, `uncordon ${mute}`]);
});

test('a command whose connection was lost is not run again: the operator is asked', async () => {
  harness.work = () => Promise.resolve({ exitCode: null });
  await harness.open({ name: 'lost', nodes: ['d1'] });
  await expect.poll(async () => (await harness.kedge.windows.show('lost')).upkeep[0]?.question ?? '', { timeout: 60_000 }).toContain('nobody knows');
  await delay(500);
  expect(harness.log).toEqual(['patch d1']);
  await expect(harness.kedge.windows.answer('other', { node: parseNodeName('d1'), answer: 'done' })).rejects.toMatchObject({ code: 'guest-state' });
  await harness.kedge.windows.answer('lost', { node: parseNodeName('d1'), answer: 'failed' });
  expect(results(await harness.ended('lost'))).toEqual({ d1: 'failed' });
});

test('guests that the drain has shut down run again after the work, and those that do not are told of', async () => {
  await harness.open({ name: 'off', nodes: ['off1', 'offbad1'] });
  const { outcomes } = await harness.ended('off');
  expect(harness.log).toEqual(['patch off1', 'start 101 off1', 'patch offbad1']);
  expect(outcomes).toMatchObject([
    { result: 'done', reason: null },
    { result: 'done', reason: 'Not all guests that were shut down run again: guest 101: it has no disk' },
  ]);
});

test('guests come home after the work, however late it is by then', async () => {
  const node = parseNodeName('late1');
  await harness.serveNode(node);
  const closesMs = Date.now() + 10_000;
  harness.work = () => delay(closesMs + 500 - Date.now()).then(() => ({}));
  const input = {
    window: 'late',
    node,
    closesAt: new Date(closesMs).toISOString(),
    work: windowOf({ name: 'late', nodes: [node] }).work,
    healthCheck: null,
    restore: true,
  };
  const outcome = await harness.client.workflow.execute<typeof maintainNode>('maintainNode', {
    taskQueue: CONTROL_QUEUE,
    workflowId: 'upkeep-late1',
    args: [input],
  });
  expect(outcome).toMatchObject({ result: 'done', reason: null });
});

test('a pause for a human ends with done, and meanwhile another window leaves the node alone', async () => {
  await harness.open({ name: 'human', nodes: ['e1'], command: undefined, human: 'swap the disk' });
  await expect.poll(async () => (await harness.kedge.windows.show('human')).upkeep[0]?.question, { timeout: 60_000 }).toBe('swap the disk');
  await harness.open({ name: 'rival', nodes: ['e1'] });
  expect(results(await harness.ended('rival'))).toEqual({ e1: 'busy' });
  await harness.kedge.windows.answer('human', { node: parseNodeName('e1'), answer: 'done' });
  expect(await harness.ended('human')).toMatchObject({ end: 'done' });
});

test('what runs of a window that was deleted can be answered and cancelled', async () => {
  const { windows } = harness.kedge;
  await harness.open({ name: 'gone', nodes: ['e2'], command: undefined, human: 'swap the disk' });
  await expect.poll(() => windows.waiting('gone'), { timeout: 60_000 }).toEqual(['e2']);
  expect(await windows.waiting('other')).toEqual([]);
  await windows.remove('gone');
  expect(await windows.waiting('gone')).toEqual(['e2']);
  await expect.poll(() => windows.cancel('gone').catch((error: unknown) => error), { timeout: 60_000 }).toBeUndefined();
  await windows.answer('gone', { node: parseNodeName('e2'), answer: 'done' });
  await expect.poll(() => windows.waiting('gone'), { timeout: 60_000 }).toEqual([]);
});

test('a reboot is done when the node has registered another boot', async () => {
  harness.work = async (node) => {
    setTimeout(() => harness.boots.set(node, 1), 300);
    return Promise.resolve({ exitCode: null });
  };
  await harness.open({ name: 'reboot', nodes: ['f1'], command: undefined, reboot: 'systemctl reboot', timeout: '20s' });
  expect(await harness.ended('reboot')).toMatchObject({ end: 'done', finished: ['f1'] });
});

test('the command of a reboot has all of the time, and one that was ended because it took longer is told of at once', async () => {
  let given = 0;
  harness.work = (_node, _command, timeoutMs) => {
    given = timeoutMs;
    return Promise.resolve({ exitCode: 124, timedOut: true });
  };
  await harness.open({ name: 'upgrade', nodes: ['f2'], command: undefined, reboot: 'apt-get -y upgrade && systemctl reboot', timeout: '1h' });
  const { outcomes } = await harness.ended('upgrade');
  expect(given).toBe(3_600_000);
  expect(outcomes).toMatchObject([{ result: 'failed', reason: 'The command took too long and was ended; the node stays cordoned' }]);
});

test('a cancel stops the drain, and nothing more is begun', async () => {
  await harness.open({ name: 'cancel', nodes: ['slow1', 'g2'] });
  await expect.poll(async () => (await harness.kedge.windows.show('cancel')).upkeep.length, { timeout: 60_000 }).toBe(1);
  await harness.kedge.windows.cancel('cancel');
  const report = await harness.ended('cancel');
  expect(report).toMatchObject({ end: 'cancelled', finished: [] });
  expect(results(report)).toEqual({ slow1: 'cancelled' });
  expect(harness.log).toEqual([]);
});

test('the schedule opens the window at its time, and is told the next occurrences then', async () => {
  const at = new Date(Date.now() + 3_000).toISOString().slice(0, 19);
  const definition = windowOf({ name: 'timed', nodes: ['h1'], start: '2026-01-01T00:00', rule: 'FREQ=DAILY' });
  await harness.serveNode(parseNodeName('h1'));
  await harness.kedge.windows.create({ definition, occurrences: [{ opensAt: `${at}.000Z`, closesAt: at }] });
  expect(await harness.ended('timed')).toMatchObject({ end: 'done', opensAt: `${at}.000Z`, warning: null });
});

test('an opening for a time that is long over opens as the occurrence that is open now, and is missed when none is', async () => {
  const minute = Math.floor(Date.now() / 60_000);
  const minutesAgo = (minutes: number): Date => new Date((minute - minutes) * 60_000);
  const openLate = async (name: string, { start, rule }: { start: Date; rule: string }): Promise<WindowReport> => {
    const fields = { nodes: ['h2'], start: start.toISOString().slice(0, 16), rule, duration: '30m', missed: '20m' };
    await harness.kedge.windows.create({ definition: windowOf({ name, ...fields }), occurrences: [{ opensAt: start.toISOString(), closesAt: '' }] });
    const handle = harness.client.schedule.getHandle(windowScheduleId(name));
    await handle.backfill({ start: new Date(start.getTime() - 1_000), end: new Date(start.getTime() + 1_000) });
    return harness.ended(name);
  };
  await harness.serveNode(parseNodeName('h2'));
  const report = await openLate('outage', { start: minutesAgo(125), rule: 'FREQ=HOURLY' });
  expect(report).toMatchObject({ end: 'done', opensAt: minutesAgo(5).toISOString() });
  expect(await openLate('over', { start: minutesAgo(100), rule: 'FREQ=HOURLY' })).toMatchObject({ end: 'missed' });
});
