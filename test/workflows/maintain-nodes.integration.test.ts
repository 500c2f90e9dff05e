/** Windows on a real server: its schedules, fake drains and fake work; what runs on a node is what the test says. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { castErrors } from '../../activities/cast-errors.js';
import type { GuestCommand, NodeAudit } from '../../activities/interface.js';
import type { CommandEnd } from '../../activities/interface-control.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { parseNodeName, type NodeName } from '../../src/domain/ids.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import type { WindowDefinition, WindowReport } from '../../src/domain/window/window.js';
import { createLogger } from '../../src/log/logger.js';
import { nextOccurrences } from '../../src/schema/window-occurrences.js';
import { parseWindowFile } from '../../src/schema/window-file.js';
import { clusterAccess, createControlWorker } from '../../worker/control-worker.js';
import { connectWorker, type WorkerConnection } from '../../worker/temporal/connect-worker.js';
import { runWorkers } from '../../worker/temporal/run-workers.js';
import { CONTROL_QUEUE, nodeControlQueue } from '../../src/domain/task-queues.js';
import { windowScheduleId } from '../../src/domain/workflow-names.js';
import type { maintainNode } from '../../workflows/maintain-node.js';
import { FakeWorld } from '../support/fake-world.js';
import { parseVmid } from '../../src/domain/ids.js';
import { startTemporalServer, type TestServer } from '../support/temporal-server.js';

let server: TestServer;
let connected: WorkerConnection;
const ending = new AbortController();
let runs: Promise<void>;
const world = new FakeWorld(parseVmid(101));
let log: string[] = [];
let most = 0;
let now = 0;
/** Processes of guests by node, null where the node can't tell; a node that is missing here has no worker. */
const processes = new Map<NodeName, readonly { readonly vmid: number; readonly pid: number }[] | null>();
const nodeWorkers: { readonly worker: Worker; readonly run: Promise<void> }[] = [];
let work: (node: NodeName, command: string, timeoutMs: number) => Promise<Partial<CommandEnd>>;
const boots = new Map<string, number>();

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  server = await startTemporalServer();
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../support/window-workflows.ts', import.meta.url)),
    webpackConfigHook: (config) => ({ ...config, resolve: { ...config.resolve, extensionAlias: { '.js': ['.ts', '.js'] } } }),
    logger: new DefaultLogger('ERROR'),
  });
  connected = await connectWorker({ address: server.address, namespace: 'default', nodes: [parseNodeName('e2')] }, { log: createLogger({ level: 'error' }) });
  const control = await createControlWorker({
    ...connected,
    workflows: { workflowBundle },
    placement: () => Promise.resolve(NO_PLACEMENT),
    access: {
      ...clusterAccess(connected.kedge, { placement: () => Promise.resolve(NO_PLACEMENT) }),
      nodeStatus: (node) => Promise.resolve(statusOf(node)),
      cordonNode: (node, cordoned) => Promise.resolve(void log.push(`${cordoned ? 'cordon' : 'uncordon'} ${node}`)),
      runOnNode: async ({ node, command, timeoutMs }) => {
        log.push(`${command} ${node}`);
        most = Math.max(most, (now += 1));
        try {
          return { exitCode: 0, timedOut: false, output: 'said', ...(await work(node, command, timeoutMs)) };
        } finally {
          now -= 1;
        }
      },
    },
  });
  runs = runWorkers([control], ending.signal);
});
afterAll(async () => {
  ending.abort();
  for (const { worker } of nodeWorkers) worker.shutdown();
  await Promise.all([runs, ...nodeWorkers.map(({ run }) => run)]);
  await connected.connection.close();
  await server.stop();
});
beforeEach(() => {
  log = [];
  most = 0;
  work = () => delay(50).then(() => ({}));
});

function statusOf(node: NodeName): NodeStatus {
  const inventory = { ...world.inventory(node), guests: [] };
  return { node, bootId: `boot-${boots.get(node) ?? 0}`, registeredAt: null, cordoned: true, silentSince: null, inventory, inventoryAgeMs: 0 };
}

const SOON = '2030-01-01T00:00';
const windowOf = (fields: Record<string, unknown>): WindowDefinition =>
  parseWindowFile({ zone: 'UTC', start: SOON, duration: '1h', command: 'patch', ...fields });

/** A node whose worker answers one call, the audit. */
async function serveNode(node: NodeName): Promise<void> {
  if (processes.has(node)) return;
  processes.set(node, []);
  const auditNode = (): Promise<Pick<NodeAudit, 'processes'>> => {
    const running = processes.get(node) ?? null;
    if (running === null) return Promise.reject(new KedgeError('bad-input', 'no answer'));
    return Promise.resolve({ processes: running.map((process) => ({ ...process, command: 'qemu', incoming: false })) });
  };
  const manageGuest = ({ verb, vmid }: GuestCommand): Promise<object> => {
    if (node.startsWith('offbad')) return Promise.reject(new KedgeError('guest-state', 'it has no disk'));
    log.push(`${verb} ${vmid} ${node}`);
    return Promise.resolve({ guest: null, config: null });
  };
  const worker = await Worker.create({
    connection: connected.connection,
    taskQueue: nodeControlQueue(node),
    activities: { auditNode, manageGuest },
    interceptors: { activity: [castErrors] },
  });
  nodeWorkers.push({ worker, run: worker.run() });
}

async function open(fields: Record<string, unknown>): Promise<void> {
  const definition = windowOf(fields);
  await Promise.all((definition.nodes ?? []).map(serveNode));
  const occurrences = nextOccurrences(definition, { from: new Date().toISOString(), count: 5, skipped: [] });
  await connected.kedge.windows.create({ definition, occurrences });
  await connected.kedge.windows.runNow(definition.name);
}

async function ended(name: string, opening = 1): Promise<WindowReport> {
  await expect.poll(async () => (await connected.kedge.windows.show(name)).report?.end ?? null, { timeout: 60_000, interval: 100 }).not.toBeNull();
  const { report } = await connected.kedge.windows.show(name);
  if (report === null) throw new Error(`Window ${name} has no report of opening ${opening}`);
  return report;
}
const results = ({ outcomes }: WindowReport): Record<string, string> => Object.fromEntries(outcomes.map(({ node, result }) => [node, result]));

test('nodes are worked on in their order, one at a time', async () => {
  await open({ name: 'order', nodes: ['a1', 'a2', 'a3'] });
  expect(await ended('order')).toMatchObject({ end: 'done', finished: ['a1', 'a2', 'a3'], warning: null });
  expect(log).toEqual(['patch a1', 'patch a2', 'patch a3']);
  expect(most).toBe(1);
});

test('as many at once as the window says', async () => {
  work = () => delay(1_000).then(() => ({}));
  await open({ name: 'two', nodes: ['b1', 'b2', 'b3', 'b4'], atOnce: 2 });
  expect(await ended('two')).toMatchObject({ end: 'done' });
  expect(most).toBe(2);
});

test('a node that does not get empty is not touched; failed work keeps the node cordoned and stops the roll; the next opening goes on with the rest', async () => {
  work = (node) => Promise.resolve({ exitCode: node === 'c2' ? 7 : 0 });
  await open({ name: 'rest', nodes: ['full1', 'c1', 'c2', 'c3'], restore: false, force: 'offline', parallel: 4 });
  const first = await ended('rest');
  expect(first).toMatchObject({ end: 'failed', finished: ['c1'] });
  expect(results(first)).toEqual({ full1: 'not-touched', c1: 'done', c2: 'failed' });
  // It waits for half of the hour.
  expect(first.outcomes[0]?.reason).toBe('The node is not empty: 101: 4 at a time, offline after 30 min');
  expect(log).toEqual(['uncordon full1', 'patch c1', 'uncordon c1', 'patch c2']);
  work = () => Promise.resolve({});
  log = [];
  await connected.kedge.windows.runNow('rest');
  const reported = (finished: readonly string[]) =>
    expect.poll(async () => (await connected.kedge.windows.show('rest')).report, { timeout: 60_000 }).toMatchObject({ end: 'some-left', finished });
  await reported(['c1', 'c2', 'c3']);
  expect(log.filter((line) => line.startsWith('patch'))).toEqual(['patch c2', 'patch c3']);
  // Each has had its turn, and the one that does not get empty keeps nobody waiting.
  log = [];
  await connected.kedge.windows.runNow('rest');
  await expect.poll(() => log, { timeout: 60_000 }).toContain('patch c1');
  await reported(['c1', 'c2', 'c3']);
  expect(log.filter((line) => line.startsWith('patch'))).toEqual(['patch c1', 'patch c2', 'patch c3']);
});

test('a node is not touched while anything runs there, whatever the drain says; one that does not say is not touched either', async () => {
  const [used, mute] = [parseNodeName('used1'), parseNodeName('mute1')];
  await Promise.all([used, mute].map(serveNode));
  processes.set(used, [{ vmid: 101, pid: 7 }]);
  processes.set(mute, null);
  await open({ name: 'used', nodes: [used, mute], restore: false });
  const report = await ended('used');
  expect(report.outcomes).toMatchObject([
    { result: 'not-touched', reason: 'The node is not empty: 101 runs there' },
    { result: 'not-touched', reason: 'The node does not say whether it is empty: no answer' },
  ]);
  expect(log).toEqual([`uncordon ${used}`, `uncordon ${mute}`]);
});

test('a command whose connection was lost is not run again: the operator is asked', async () => {
  work = () => Promise.resolve({ exitCode: null });
  await open({ name: 'lost', nodes: ['d1'] });
  await expect.poll(async () => (await connected.kedge.windows.show('lost')).upkeep[0]?.question ?? '', { timeout: 60_000 }).toContain('nobody knows');
  await delay(500);
  expect(log).toEqual(['patch d1']);
  await expect(connected.kedge.windows.answer('other', { node: parseNodeName('d1'), answer: 'done' })).rejects.toMatchObject({ code: 'guest-state' });
  await connected.kedge.windows.answer('lost', { node: parseNodeName('d1'), answer: 'failed' });
  expect(results(await ended('lost'))).toEqual({ d1: 'failed' });
});

test('guests that the drain has shut down run again after the work, and those that do not are told of', async () => {
  await open({ name: 'off', nodes: ['off1', 'offbad1'] });
  const { outcomes } = await ended('off');
  expect(log).toEqual(['patch off1', 'start 101 off1', 'patch offbad1']);
  expect(outcomes).toMatchObject([
    { result: 'done', reason: null },
    { result: 'done', reason: 'Not all guests that were shut down run again: guest 101: it has no disk' },
  ]);
});

test('guests come home after the work, however late it is by then', async () => {
  const node = parseNodeName('late1');
  await serveNode(node);
  const closesMs = Date.now() + 10_000;
  work = () => delay(closesMs + 500 - Date.now()).then(() => ({}));
  const input = {
    window: 'late',
    node,
    closesAt: new Date(closesMs).toISOString(),
    work: windowOf({ name: 'late', nodes: [node] }).work,
    healthCheck: null,
    restore: true,
  };
  const client = new Client({ connection: connected.connection });
  const outcome = await client.workflow.execute<typeof maintainNode>('maintainNode', { taskQueue: CONTROL_QUEUE, workflowId: 'upkeep-late1', args: [input] });
  expect(outcome).toMatchObject({ result: 'done', reason: null });
});

test('a pause for a human ends with done, and meanwhile another window leaves the node alone', async () => {
  await open({ name: 'human', nodes: ['e1'], command: undefined, human: 'swap the disk' });
  await expect.poll(async () => (await connected.kedge.windows.show('human')).upkeep[0]?.question, { timeout: 60_000 }).toBe('swap the disk');
  await open({ name: 'rival', nodes: ['e1'] });
  expect(results(await ended('rival'))).toEqual({ e1: 'busy' });
  await connected.kedge.windows.answer('human', { node: parseNodeName('e1'), answer: 'done' });
  expect(await ended('human')).toMatchObject({ end: 'done' });
});

test('what runs of a window that was deleted can be answered and cancelled', async () => {
  const { windows } = connected.kedge;
  await open({ name: 'gone', nodes: ['e2'], command: undefined, human: 'swap the disk' });
  await expect.poll(() => windows.waiting('gone'), { timeout: 60_000 }).toEqual(['e2']);
  expect(await windows.waiting('other')).toEqual([]);
  await windows.remove('gone');
  expect(await windows.waiting('gone')).toEqual(['e2']);
  await expect.poll(() => windows.cancel('gone').catch((error: unknown) => error), { timeout: 60_000 }).toBeUndefined();
  await windows.answer('gone', { node: parseNodeName('e2'), answer: 'done' });
  await expect.poll(() => windows.waiting('gone'), { timeout: 60_000 }).toEqual([]);
});

test('a reboot is done when the node has registered another boot', async () => {
  work = async (node) => {
    setTimeout(() => boots.set(node, 1), 300);
    return Promise.resolve({ exitCode: null });
  };
  await open({ name: 'reboot', nodes: ['f1'], command: undefined, reboot: 'systemctl reboot', timeout: '20s' });
  expect(await ended('reboot')).toMatchObject({ end: 'done', finished: ['f1'] });
});

test('the command of a reboot has all of the time, and one that was ended because it took longer is told of at once', async () => {
  let given = 0;
  work = (_node, _command, timeoutMs) => {
    given = timeoutMs;
    return Promise.resolve({ exitCode: 124, timedOut: true });
  };
  await open({ name: 'upgrade', nodes: ['f2'], command: undefined, reboot: 'apt-get -y upgrade && systemctl reboot', timeout: '1h' });
  const { outcomes } = await ended('upgrade');
  expect(given).toBe(3_600_000);
  expect(outcomes).toMatchObject([{ result: 'failed', reason: 'The command took too long and was ended; the node stays cordoned' }]);
});

test('a cancel stops the drain, and nothing more is begun', async () => {
  await open({ name: 'cancel', nodes: ['slow1', 'g2'] });
  await expect.poll(async () => (await connected.kedge.windows.show('cancel')).upkeep.length, { timeout: 60_000 }).toBe(1);
  await connected.kedge.windows.cancel('cancel');
  const report = await ended('cancel');
  expect(report).toMatchObject({ end: 'cancelled', finished: [] });
  expect(results(report)).toEqual({ slow1: 'cancelled' });
  expect(log).toEqual([]);
});

test('the schedule opens the window at its time, and is told the next occurrences then', async () => {
  const at = new Date(Date.now() + 3_000).toISOString().slice(0, 19);
  const definition = windowOf({ name: 'timed', nodes: ['h1'], start: '2026-01-01T00:00', rule: 'FREQ=DAILY' });
  await serveNode(parseNodeName('h1'));
  await connected.kedge.windows.create({ definition, occurrences: [{ opensAt: `${at}.000Z`, closesAt: at }] });
  expect(await ended('timed')).toMatchObject({ end: 'done', opensAt: `${at}.000Z`, warning: null });
});

test('an opening for a time that is long over opens as the occurrence that is open now, and is missed when none is', async () => {
  const minute = Math.floor(Date.now() / 60_000);
  const minutesAgo = (minutes: number): Date => new Date((minute - minutes) * 60_000);
  const openLate = async (name: string, { start, rule }: { start: Date; rule: string }): Promise<WindowReport> => {
    const fields = { nodes: ['h2'], start: start.toISOString().slice(0, 16), rule, duration: '30m', missed: '20m' };
    await connected.kedge.windows.create({ definition: windowOf({ name, ...fields }), occurrences: [{ opensAt: start.toISOString(), closesAt: '' }] });
    const handle = new Client({ connection: connected.connection }).schedule.getHandle(windowScheduleId(name));
    await handle.backfill({ start: new Date(start.getTime() - 1_000), end: new Date(start.getTime() + 1_000) });
    return ended(name);
  };
  await serveNode(parseNodeName('h2'));
  const report = await openLate('outage', { start: minutesAgo(125), rule: 'FREQ=HOURLY' });
  expect(report).toMatchObject({ end: 'done', opensAt: minutesAgo(5).toISOString() });
  expect(await openLate('over', { start: minutesAgo(100), rule: 'FREQ=HOURLY' })).toMatchObject({ end: 'missed' });
});
