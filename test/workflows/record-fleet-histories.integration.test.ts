/** Run by a person, with KEDGE_RECORD_HISTORIES=1, when a released shape is new: the workflows beside the migrations, and migrations whose node is lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTROL_START } from '../../src/client/control-start.js';
import { parseNodeName, type NodeName } from '../../src/domain/ids.js';
import type { MigrationKind } from '../../src/domain/migration.js';
import {
  ADMISSION_ID,
  BALANCE_ID,
  evacuationWorkflowId,
  SIGNALS,
  upkeepWorkflowId,
  windowScheduleId,
  WORKFLOW_TYPES,
} from '../../src/domain/workflow-names.js';
import { DrainWorld, failure, startDrainHarness, TIMINGS, type DrainHarness } from '../support/drain-harness.js';
import { SOURCE, TARGET } from '../support/fake-world.js';
import { bareStatus, BOTH_DEVICES, lostAfterReleased } from '../support/lost-side.js';
import { recordHistory } from '../support/record-history.js';
import { startSagaHarness, type SagaHarness } from '../support/saga-harness.js';
import { startWindowHarness, windowOf, type WindowHarness } from '../support/window-harness.js';
import type { maintainNode } from '../../workflows/maintain-node.js';

const records = describe.runIf(process.env['KEDGE_RECORD_HISTORIES'] === '1');
const NODES = ['node1', 'node2', 'node3'];

records('recording histories of drains and balances', () => {
  let harness: DrainHarness;
  let world: DrainWorld;
  beforeAll(async () => {
    harness = await startDrainHarness(NODES);
  });
  afterAll(() => harness.stop());
  const workflowId = evacuationWorkflowId(parseNodeName('node2'));
  const begin = async (guests: number, node = 'node2'): Promise<void> => {
    world = new DrainWorld(NODES, 16);
    for (let vmid = 101; vmid < 101 + guests; vmid += 1) world.add(vmid, node);
    await harness.begin(world);
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await delay(20);
  };
  const keep = (name: string, runId?: string) => recordHistory(harness.client, { workflowId, name, ...(runId === undefined ? {} : { runId }) });

  test('drain-continued', async () => {
    await begin(8);
    world.onMove = () => delay(100);
    const ref = await harness.start('evacuate', { node: 'node2', parallel: 2 });
    expect((await harness.ended(ref)).end).toBe('done');
    await keep('drain-continued', ref.firstRunId);
    await keep('drain-continued-last');
  });

  test('drain-forced', async () => {
    await begin(1);
    world.add(111, 'node2', { kind: 'lxc', whenNotLive: 'wait' });
    world.add(112, 'node2', { kind: 'lxc', whenNotLive: 'shutdown' });
    world.add(113, 'node2', { kind: 'lxc', whenNotLive: 'shutdown' });
    world.onPower = (vmid) => (vmid === 113 ? Promise.reject(failure('shutdown-timeout', 'it did not shut down')) : Promise.resolve());
    const waitUntil = new Date(Date.now() + 1_500).toISOString();
    expect((await harness.ended(await harness.start('evacuate', { node: 'node2', waitUntil, force: 'offline' }))).end).toBe('some-stayed');
    await keep('drain-forced');
  });

  test('drain-cancelled-in-queue', async () => {
    await begin(3);
    world.queued.add(102).add(103);
    const ref = await harness.start('evacuate', { node: 'node2', parallel: 3 });
    await until(() => world.on('node2').length === 2);
    await harness.kedge.cancelEvacuation(parseNodeName('node2'));
    expect((await harness.ended(ref)).end).toBe('cancelled');
    await keep('drain-cancelled-in-queue');
  });

  test('undrain-after-failures', async () => {
    await begin(2);
    await harness.ended(await harness.start('evacuate', { node: 'node2' }));
    let left = 1;
    world.onMove = () => ((left -= 1) < 0 ? Promise.resolve() : Promise.reject(failure('rolled-back', 'no luck')));
    expect((await harness.ended(await harness.start('restore', { node: 'node2' }))).end).toBe('done');
    await keep('undrain-after-failures');
  });

  test('balance', async () => {
    await begin(12, 'node1');
    world.onMove = ({ vmid }) => (vmid === 101 ? Promise.reject(failure('cancelled', 'not wanted')) : delay(50));
    const { firstRunId } = await harness.kedge.balance.start({ requestedBy: 'test', maxMoves: 2, parallel: 2, timings: TIMINGS });
    await harness.client.workflow.getHandle(BALANCE_ID, undefined, { firstExecutionRunId: firstRunId }).result();
    await recordHistory(harness.client, { workflowId: BALANCE_ID, name: 'balance' });
  });

  test('admission-with-dead-holder', async () => {
    await harness.client.workflow
      .getHandle(ADMISSION_ID)
      .terminate()
      .catch(() => undefined);
    const { workflow } = harness.client;
    const begun = await workflow.start(WORKFLOW_TYPES.admission, {
      ...CONTROL_START,
      workflowId: ADMISSION_ID,
      args: [{ limits: { cluster: 1 }, timings: { leaseCheckMs: 300 } }],
    });
    const holders = await Promise.all(
      [901, 902, 903].map((vmid) => workflow.start('migrateGuest', { taskQueue: 'nobody', workflowId: `migration-${vmid}`, args: [{}] })),
    );
    const admission = workflow.getHandle(ADMISSION_ID);
    const slots = () => harness.kedge.admission.show();
    for (const { workflowId: holder, firstExecutionRunId: runId } of holders) {
      await admission.signal(SIGNALS.request, { holder, runId, nodes: ['node1', 'node2'], network: 'default', priority: 'user' });
      await delay(100);
    }
    await expect.poll(async () => (await slots()).leases.map(({ holder }) => holder)).toEqual(['migration-901']);
    await workflow.getHandle('migration-901').terminate();
    await expect.poll(async () => (await slots()).leases.map(({ holder }) => holder), { timeout: 20_000 }).toEqual(['migration-902']);
    // Asks again, and is told again.
    const [, second] = holders;
    if (second !== undefined)
      await admission.signal(SIGNALS.request, { holder: second.workflowId, runId: second.firstExecutionRunId, nodes: ['node1', 'node2'], priority: 'user' });
    await harness.kedge.admission.set({ settings: { cluster: 2, bandwidth: 4_000_000 }, setBy: 'test' });
    await expect.poll(async () => (await slots()).leases.length).toBe(2);
    for (const { workflowId: holder, firstExecutionRunId: runId } of holders) await admission.signal(SIGNALS.release, { holder, runId });
    await expect.poll(async () => (await slots()).leases).toEqual([]);
    await recordHistory(harness.client, { workflowId: ADMISSION_ID, runId: begun.firstExecutionRunId, name: 'admission-with-dead-holder' });
    for (const { workflowId: holder } of holders)
      await workflow
        .getHandle(holder)
        .terminate()
        .catch(() => undefined);
  });
});

records('recording histories of admission', () => {
  let harness: DrainHarness;
  beforeAll(async () => {
    harness = await startDrainHarness(NODES);
  });
  afterAll(() => harness.stop());

  test('admission-quiet-with-least-share', async () => {
    const { workflow } = harness.client;
    const settings = { limits: { bandwidth: 1_500_000 }, timings: { quietLeaseCheckMs: 1_000 } };
    const begun = await workflow.start(WORKFLOW_TYPES.admission, { ...CONTROL_START, workflowId: ADMISSION_ID, args: [settings] });
    const [dead, next] = await Promise.all(
      [911, 912].map((vmid) => workflow.start('migrateGuest', { taskQueue: 'nobody', workflowId: `migration-${vmid}`, args: [{}] })),
    );
    if (dead === undefined || next === undefined) throw new Error('No holder was started');
    const admission = workflow.getHandle(ADMISSION_ID);
    const held = async (): Promise<readonly string[]> => (await harness.kedge.admission.show()).leases.map(({ holder }) => holder);
    for (const { workflowId: holder, firstExecutionRunId: runId } of [dead, next])
      await admission.signal(SIGNALS.request, { holder, runId, nodes: ['node1', 'node2'], network: 'default', priority: 'user' });
    await expect.poll(held, { timeout: 20_000 }).toEqual(['migration-911']);
    await admission.signal(SIGNALS.release, { holder: next.workflowId, runId: next.firstExecutionRunId });
    await dead.terminate();
    await expect.poll(held, { timeout: 20_000 }).toEqual([]);
    await recordHistory(harness.client, { workflowId: ADMISSION_ID, runId: begun.firstExecutionRunId, name: 'admission-quiet-with-least-share' });
    await next.terminate();
  });
});

records('recording histories of windows', () => {
  let harness: WindowHarness;
  beforeAll(async () => {
    harness = await startWindowHarness();
  });
  afterAll(() => harness.stop());
  const keepNode = (node: string, name: string) => recordHistory(harness.client, { workflowId: upkeepWorkflowId(parseNodeName(node)), name });
  /** What the schedule has begun. */
  const keepWindow = async (window: string, name: string): Promise<void> => {
    const { info } = await harness.client.schedule.getHandle(windowScheduleId(window)).describe();
    const [action] = info.recentActions;
    if (action === undefined) throw new Error(`Window ${window} has not opened`);
    await recordHistory(harness.client, { workflowId: action.action.workflow.workflowId, name });
  };

  test('window', async () => {
    await harness.open({ name: 'worked', nodes: ['a1', 'full1', 'off1'], restore: true });
    await harness.ended('worked');
    await keepWindow('worked', 'window');
    await keepNode('a1', 'upkeep');
    await keepNode('full1', 'upkeep-not-empty');
    await keepNode('off1', 'upkeep-with-guests-off');
  });

  test('upkeep-asked', async () => {
    harness.work = () => Promise.resolve({ exitCode: null });
    await harness.open({ name: 'lost', nodes: ['d1', 'd2'] });
    await expect.poll(async () => (await harness.kedge.windows.show('lost')).upkeep[0]?.question ?? '', { timeout: 60_000 }).toContain('nobody knows');
    await harness.kedge.windows.answer('lost', { node: parseNodeName('d1'), answer: 'failed' });
    expect((await harness.ended('lost')).end).toBe('failed');
    await keepWindow('lost', 'window-failed');
    await keepNode('d1', 'upkeep-asked');
  });

  test('upkeep-rebooted', async () => {
    harness.work = async (node) => {
      setTimeout(() => harness.boots.set(node, 1), 300);
      return Promise.resolve({ exitCode: null });
    };
    await harness.open({ name: 'reboot', nodes: ['f1'], command: undefined, reboot: 'systemctl reboot', timeout: '20s' });
    await harness.ended('reboot');
    await keepNode('f1', 'upkeep-rebooted');
  });

  test('window-cancelled', async () => {
    await harness.open({ name: 'cancel', nodes: ['slow1', 'g2'] });
    await expect.poll(async () => (await harness.kedge.windows.show('cancel')).upkeep.length, { timeout: 60_000 }).toBe(1);
    await harness.kedge.windows.cancel('cancel');
    await harness.ended('cancel');
    await keepWindow('cancel', 'window-cancelled');
    await keepNode('slow1', 'upkeep-cancelled');
  });

  test('upkeep-late', async () => {
    const node = parseNodeName('late1');
    await harness.serveNode(node);
    const input = {
      window: 'late',
      node,
      closesAt: new Date().toISOString(),
      work: windowOf({ name: 'late', nodes: [node] }).work,
      healthCheck: null,
      restore: true,
    };
    const options = { ...CONTROL_START, workflowId: upkeepWorkflowId(node), args: [input] } satisfies Parameters<
      typeof harness.client.workflow.execute<typeof maintainNode>
    >[1];
    expect(await harness.client.workflow.execute<typeof maintainNode>('maintainNode', options)).toMatchObject({ result: 'out-of-time' });
    await keepNode(node, 'upkeep-late');
  });
});

records('recording histories of migrations whose node is lost', () => {
  let harness: SagaHarness;
  let silent: NodeName | null = null;
  let off = true;
  beforeAll(async () => {
    harness = await startSagaHarness({
      nodes: [SOURCE, TARGET],
      nodeStatus: (node) => bareStatus(node, node === silent ? '2026-01-01T00:00:10Z' : null),
      fencing: {
        config: () => Promise.resolve(BOTH_DEVICES),
        fence: () => Promise.resolve(off ? { off: true } : { off: false, reason: 'the device is on fire' }),
      },
    });
  });
  afterAll(() => harness.stop());

  test.for<['source' | 'target', MigrationKind, 'fenced' | 'given-up']>([
    ['target', 'live', 'fenced'],
    ['source', 'live', 'fenced'],
    ['target', 'restart', 'fenced'],
    ['target', 'live', 'given-up'],
    ['source', 'restart', 'given-up'],
  ])('%s of a %s migration %s', async ([role, movement, how]) => {
    [silent, off] = [null, how === 'fenced'];
    const timings = { askOperatorAfterMs: 300, silentAfterMs: 500, stepTimeoutMs: 1_000 };
    const run = await harness.start({ outcomes: lostAfterReleased(role, movement, (node) => (silent = node)), movement, timings });
    if (how === 'given-up') {
      await run.seen(({ story }) => story?.question?.facts !== undefined);
      await harness.kedge.decideMigration(run.ref, `${role}-dead`, 'alice@admin');
    }
    await run.ended();
    await recordHistory(harness.client, { workflowId: run.ref.workflowId, name: `lost-${role}-${movement}-${how}` });
  });
});
