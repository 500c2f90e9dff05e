import { ActivityNotFoundError, WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKedge } from '../../../src/client/connect-kedge.js';
import type { SlotState } from '../../../src/domain/admission.js';
import { parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import { CONTROL_QUEUE, nodeControlQueue } from '../../../src/domain/task-queues.js';
import { ADMISSION_ID, QUERIES, SIGNALS, UPDATES, WORKFLOW_TYPES } from '../../../src/domain/workflow-names.js';
import { Client } from '@temporalio/client';
import { NODE, OTHER, startTestCluster, type TestCluster } from '../../support/test-cluster.js';

let cluster: TestCluster;
let client: Client;
beforeAll(async () => {
  cluster = await startTestCluster();
  client = new Client({ connection: cluster.connected.connection });
  await cluster.kedge.registerNode({ node: NODE, bootId: 'boot-1' });
});
afterAll(() => cluster.stop());

const vmid = parseVmid(101);

/** Polls the queue for short calls of `node2`, which has no worker here, as a worker of this identity. */
async function takeTask(identity: string): Promise<{ attempt: number; taskToken: Uint8Array }> {
  const taskQueue = { name: nodeControlQueue(OTHER) };
  const { attempt, taskToken } = await client.workflowService.pollActivityTaskQueue({ namespace: 'default', taskQueue, identity });
  return { attempt, taskToken };
}

describe('a node', () => {
  test('is listed with its boot and the inventory of its newest heartbeat', async () => {
    await expect.poll(async () => (await cluster.kedge.nodeStatus(NODE)).inventory?.guests.map((guest) => guest.vmid), { timeout: 10_000 }).toEqual([101]);
    const [first, second] = await cluster.kedge.listNodes();
    expect(first).toMatchObject({ node: 'node1', bootId: 'boot-1', cordoned: false, silentSince: null });
    expect(second).toMatchObject({ node: 'node2', bootId: null, inventory: null });
    expect(await cluster.kedge.findNodeStatus(OTHER)).toBeNull();
  });

  test('that the cluster has not is not found', async () => {
    await expect(cluster.kedge.nodeStatus(parseNodeName('node9'))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('keeps being cordoned over a new boot', async () => {
    await cluster.kedge.cordonNode(NODE, true);
    await cluster.kedge.registerNode({ node: NODE, bootId: 'boot-2' });
    await expect.poll(() => cluster.kedge.nodeStatus(NODE)).toMatchObject({ bootId: 'boot-2', cordoned: true });
    await cluster.kedge.cordonNode(NODE, false);
    await expect.poll(() => cluster.kedge.nodeStatus(NODE)).toMatchObject({ cordoned: false });
  });

  test('whose attempts are failed by token gets a new one at once', async () => {
    await expect.poll(() => cluster.presences.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const before = cluster.presences.length;
    await cluster.kedge.failTaskTokens(cluster.presences);
    await expect.poll(() => cluster.presences.length, { timeout: 5_000 }).toBeGreaterThan(before);
    await cluster.kedge.failTaskTokens(cluster.presences.slice(0, before));
  });

  test('whose worker died before it noted what it had taken up has the next attempt within seconds, and no other node is disturbed', async () => {
    const presences = cluster.presences.length;
    const audit = cluster.kedge.auditNode(OTHER);
    // Takes the task as a worker does that is killed right afterwards.
    const lost = await takeTask('kedge/node2/killed');
    expect(lost.attempt).toBe(1);
    const next = takeTask('kedge/node2/restarted');
    const restartedAt = performance.now();
    // The server's index of running executions may lag for a moment.
    await expect.poll(() => cluster.kedge.failLostAttempts(OTHER), { timeout: 5_000 }).toBe(1);
    const { attempt, taskToken } = await next;
    expect(performance.now() - restartedAt).toBeLessThan(5_000);
    expect(attempt).toBe(2);
    await client.activity.complete(taskToken, { node: OTHER });
    await expect(audit).resolves.toEqual({ node: OTHER });
    await expect(client.activity.complete(lost.taskToken, {}), 'the dead attempt says nothing any more').rejects.toBeInstanceOf(ActivityNotFoundError);
    expect(cluster.presences.length).toBe(presences);
  });

  test('that loses its worker is silent, until it is heard again', async () => {
    await cluster.stopNode();
    await expect.poll(async () => (await cluster.kedge.nodeStatus(NODE)).silentSince, { timeout: 10_000 }).not.toBeNull();
    cluster.startNode();
    await expect.poll(async () => (await cluster.kedge.nodeStatus(NODE)).silentSince, { timeout: 15_000 }).toBeNull();
  });
});

describe('a guest verb', () => {
  test("runs on the guest's node, which the inventories tell", async () => {
    await expect.poll(async () => (await cluster.kedge.nodeStatus(NODE)).inventory, { timeout: 10_000 }).not.toBeNull();
    await expect(cluster.kedge.manageGuest({ command: { verb: 'stop', vmid } })).resolves.toMatchObject({ config: 'verb: stop' });
    await expect(cluster.kedge.manageGuest({ command: { verb: 'show', vmid: parseVmid(999) } })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is refused while the guest is being migrated', async () => {
    await client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId: 'migration-102', args: [{}] });
    await expect(cluster.kedge.manageGuest({ command: { verb: 'stop', vmid: parseVmid(102) }, node: NODE })).rejects.toMatchObject({
      code: 'already-migrating',
    });
  });

  test('and an audit answer through workflows', async () => {
    await expect(cluster.kedge.auditNode(NODE)).resolves.toMatchObject({ node: 'node1', guests: [{ vmid: 101 }] });
  });
});

describe('admission', () => {
  test('frees the lease of a holder that ended without a word when another waits for it', async () => {
    await client.workflow.start(WORKFLOW_TYPES.admission, {
      taskQueue: CONTROL_QUEUE,
      workflowId: 'admission-narrow',
      args: [{ limits: { perNode: 1, cluster: 1 }, timings: { leaseCheckMs: 100 } }],
    });
    const narrow = client.workflow.getHandle('admission-narrow');
    const waiter = await client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId: 'migration-103', args: [{}] });
    const dead = await client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId: 'migration-104', args: [{}] });
    const slotOf = (handle: typeof waiter) => ({ holder: handle.workflowId, runId: handle.firstExecutionRunId, nodes: [NODE, OTHER], priority: 'user' });
    const holders = async (): Promise<string[]> => (await narrow.query<SlotState>(QUERIES.slots)).leases.map((lease) => lease.holder);
    await narrow.signal(SIGNALS.request, slotOf(dead));
    await expect.poll(holders).toEqual(['migration-104']);
    await narrow.signal(SIGNALS.request, slotOf(waiter));
    await dead.terminate();
    await expect.poll(holders, { timeout: 10_000 }).toEqual(['migration-103']);
  });
});

describe('an admission in which something always happens', () => {
  test('frees the lease of a run that has ended all the same, also when a later run of the same migration runs', async () => {
    const busy = await client.workflow.start(WORKFLOW_TYPES.admission, {
      taskQueue: CONTROL_QUEUE,
      workflowId: 'admission-busy',
      args: [{ limits: { perNode: 1, cluster: 1 }, timings: { leaseCheckMs: 500 } }],
    });
    const start = (workflowId: string) => client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId, args: [{}] });
    const request = (handle: Awaited<ReturnType<typeof start>>) =>
      busy.signal(SIGNALS.request, { holder: handle.workflowId, runId: handle.firstExecutionRunId, nodes: [NODE, OTHER], priority: 'user' });
    const holders = async (): Promise<string[]> => (await busy.query<SlotState>(QUERIES.slots)).leases.map((lease) => lease.holder);
    const dead = await start('migration-108');
    await request(dead);
    await expect.poll(holders).toEqual(['migration-108']);
    await request(await start('migration-109'));
    const noise = setInterval(() => void busy.signal(SIGNALS.release, { holder: 'nobody', runId: 'none' }), 50);
    try {
      await dead.terminate();
      await start('migration-108');
      await expect.poll(holders, { timeout: 8_000 }).toEqual(['migration-109']);
    } finally {
      clearInterval(noise);
    }
  });
});

describe('the limits of admission', () => {
  const holders = async (): Promise<string[]> => (await cluster.kedge.admission.show()).leases.map(({ holder }) => holder);
  const start = async (vmid: number) => {
    const handle = await client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId: `migration-${vmid}`, args: [{}] });
    return { holder: handle.workflowId, runId: handle.firstExecutionRunId, nodes: [NODE, OTHER], priority: 'user' } as const;
  };

  test('change while it runs: a raised one grants at once, a lowered one takes nothing away, and kedge.yaml lies below', async () => {
    const { admission } = cluster.kedge;
    await cluster.kedge.ensureAdmission({ perNode: 1 });
    const [first, second, third] = [await start(111), await start(112), await start(113)];
    for (const request of [first, second, third]) await cluster.kedge.requestSlot(request);
    await expect.poll(holders).toEqual(['migration-111']);
    await expect(admission.set({ settings: { nodes: { node1: { perNode: 2 }, node2: { perNode: 2 } } }, setBy: 'test' })).resolves.toMatchObject({
      perNode: 1,
    });
    await expect.poll(holders).toEqual(['migration-111', 'migration-112']);
    await expect(admission.reset({ setBy: 'test' })).resolves.toEqual({ cluster: 8, perNode: 1 });
    expect(await holders()).toEqual(['migration-111', 'migration-112']);
    await cluster.kedge.releaseSlot(first);
    await expect.poll(holders).toEqual(['migration-112']);
    await cluster.kedge.ensureAdmission({ perNode: 5 });
    await expect.poll(holders).toEqual(['migration-112', 'migration-113']);
    for (const request of [second, third]) await cluster.kedge.releaseSlot(request);
    await cluster.kedge.ensureAdmission({});
    await expect.poll(async () => (await admission.show()).limits).toEqual({ cluster: 8, perNode: 2 });
  });

  test('are told by kedge.yaml only when they differ, and a bad change leaves no trace', async () => {
    const handle = client.workflow.getHandle(ADMISSION_ID);
    const before = (await handle.describe()).historyLength;
    await cluster.kedge.ensureAdmission({});
    const bad = handle.executeUpdate(UPDATES.setLimits, { args: [{ from: 'operator', setBy: 'test', settings: { cluster: -1 } }] });
    await expect(bad).rejects.toMatchObject({ cause: { type: 'bad-input', message: expect.stringContaining('cluster: current value is -1') } });
    await expect(cluster.kedge.admission.set({ settings: { cluster: -1 }, setBy: 'test' })).rejects.toMatchObject({ code: 'bad-input' });
    expect((await handle.describe()).historyLength).toBe(before);
  });

  test('of an entity of an older Kedge are carried over with its leases and its queue', async () => {
    const [holder, waiter] = [await start(114), await start(115)];
    const state = { limits: { perNode: 1, cluster: 3 }, leases: [holder], waiting: [waiter] };
    const old = await client.workflow.start(WORKFLOW_TYPES.admission, { taskQueue: CONTROL_QUEUE, workflowId: 'admission-old', args: [{ state }] });
    await expect(old.query<SlotState>(QUERIES.slots)).resolves.toEqual({ ...state, configured: state.limits });
    await old.executeUpdate(UPDATES.setLimits, { args: [{ from: 'config', settings: {} }] });
    await expect.poll(async () => (await old.query<SlotState>(QUERIES.slots)).leases).toEqual([holder, waiter]);
  });
});

describe('the slots', () => {
  test('are told with whether their holders run: one that was ended by force still has its slot', async () => {
    const holder = await client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId: 'migration-106', args: [{}] });
    const request = { holder: holder.workflowId, runId: holder.firstExecutionRunId, nodes: [NODE, OTHER], priority: 'user' } as const;
    await cluster.kedge.requestSlot(request);
    await expect.poll(() => cluster.kedge.readSlots()).toEqual([{ holder: 'migration-106', runId: request.runId, nodes: [NODE, OTHER], running: true }]);
    await expect(cluster.kedge.readMoves()).resolves.toEqual([{ holder: 'migration-106', nodes: [NODE, OTHER] }]);
    await holder.terminate();
    await expect(cluster.kedge.readSlots()).resolves.toMatchObject([{ holder: 'migration-106', running: false }]);
    await expect(cluster.kedge.readMoves(), 'it moves nothing any more').resolves.toEqual([]);
    await cluster.kedge.releaseSlot(request);
    await expect(cluster.kedge.readSlots()).resolves.toEqual([]);
  });
});

describe('a repair', () => {
  const request = { node: NODE, vmid: parseVmid(107), repair: { do: 'end-revoked' } } as const;

  test('is done by its node, but not while a migration of the guest runs', async () => {
    await expect(cluster.kedge.repair(request)).resolves.toEqual({ outcome: 'done', because: 'end-revoked' });
    const migration = await client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId: 'migration-107', args: [{}] });
    await expect(cluster.kedge.repair(request)).resolves.toMatchObject({ outcome: 'refused', because: expect.stringContaining('migration') });
    const { workflowId, firstExecutionRunId: runId } = migration;
    const end = { node: null, repair: { do: 'end-workflow', workflowId, runId } } as const;
    await expect(cluster.kedge.repair(end)).resolves.toMatchObject({ outcome: 'done' });
    await expect(cluster.kedge.repair(end)).resolves.toMatchObject({ outcome: 'gone' });
    await expect(cluster.kedge.repair(request)).resolves.toMatchObject({ outcome: 'done' });
  });

  test('pauses a schedule, of which only those of Kedge are told', async () => {
    const action = { type: 'startWorkflow', workflowType: WORKFLOW_TYPES.auditNode, args: [{ node: 'node9' }] } as const;
    const spec = { calendars: [{ month: 'JANUARY' as const }] };
    await client.schedule.create({ scheduleId: 'ours', spec, action: { ...action, taskQueue: CONTROL_QUEUE } });
    await client.schedule.create({ scheduleId: 'theirs', spec, action: { ...action, taskQueue: 'nobody' } });
    const ours = { scheduleId: 'ours', workflowType: WORKFLOW_TYPES.auditNode, vmid: null, nodes: ['node9'] };
    await expect.poll(() => cluster.kedge.readSchedules(), { timeout: 10_000 }).toEqual([{ ...ours, paused: false }]);
    await cluster.kedge.repair({ node: null, repair: { do: 'pause-schedule', scheduleId: 'ours' } });
    await expect(cluster.kedge.readSchedules()).resolves.toEqual([{ ...ours, paused: true }]);
  });
});

describe('the connection', () => {
  test('sets up the namespace repeatedly', async () => {
    await cluster.kedge.ensureNamespace();
    await cluster.kedge.ensureAdmission();
    await expect(cluster.kedge.isRunning(ADMISSION_ID)).resolves.toBe(true);
  });

  test('to a server that is not there is given up with a clear error', async () => {
    const connecting = connectKedge({ address: '127.0.0.1:1', namespace: 'default', nodes: [], giveUpAfterMs: 300 });
    await expect(connecting).rejects.toMatchObject({ code: 'server-unreachable' });
  });

  test('of the command line reads the same cluster', async () => {
    const kedge = await connectKedge({ address: cluster.address, namespace: 'default', nodes: [NODE] });
    await expect(kedge.nodeStatus(NODE)).resolves.toMatchObject({ node: 'node1' });
    await kedge.close();
  });

  test('passes on the failures of workflows in their own words', async () => {
    const failing = client.workflow.execute(WORKFLOW_TYPES.migrateGuest, { taskQueue: CONTROL_QUEUE, workflowId: 'migration-105', args: [{ vmid: 1 }] });
    await expect(failing).rejects.toBeInstanceOf(WorkflowFailedError);
    await expect(cluster.kedge.showMigration('105')).resolves.toMatchObject({ status: 'failed', failure: { code: 'bad-input' } });
  });
});
