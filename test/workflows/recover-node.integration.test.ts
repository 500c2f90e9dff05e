/** `recoverNode` on a real Temporal server, over a cluster that is told by the test: what is asked, fenced, decided and taken, and when nothing is. */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { castErrors } from '../../activities/cast-errors.js';
import { createControlActivities } from '../../activities/control/create-control-activities.js';
import { createKedgeClient, type KedgeClient } from '../../src/client/kedge-client.js';
import { parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { LostGuest, TakeOverResult } from '../../src/domain/lost-guest.js';
import type { NodeEntityStatus, NodeStatus } from '../../src/domain/node-facts.js';
import type { RecoveryReport } from '../../src/domain/recovery.js';
import { CONTROL_QUEUE, nodeControlQueue } from '../../src/domain/task-queues.js';
import { nodeWorkflowId, recoveryWorkflowId, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import type { FenceOutcome } from '../../src/drivers/fence/fence-node.js';
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { snapshotFromNodes } from '../../src/domain/plan/snapshot-from-nodes.js';
import { clusterAccess } from '../../worker/control-worker.js';
import { bundleWorkflows } from '../support/bundle-workflows.js';
import { FakeWorld } from '../support/fake-world.js';
import { startTemporalServer } from '../support/temporal-server.js';

const NODES = ['node1', 'node2', 'node3', 'node4'].map(parseNodeName);
const [LOST, ALSO_LOST] = [parseNodeName('node3'), parseNodeName('node4')];
const TIMINGS = { silentAfterMs: 2_000, retryFirstMs: 10, retryLongestMs: 50, callTimeoutMs: 5_000 };
const OFF: FenceOutcome = { off: true };

interface FakeCluster {
  silent: Set<NodeName>;
  readonly boots: Map<NodeName, string>;
  readonly answering: Map<NodeName, 'open' | 'refused'>;
  readonly running: Set<string>;
  device: ((node: string) => Promise<FenceOutcome>) | null;
  guests: readonly LostGuest[];
  take: (by: NodeName) => TakeOverResult;
  fenced: string[];
  voided: string[];
}
let world: FakeCluster;
let kedge: KedgeClient;
let client: Client;
let stop: () => Promise<void>;

const guest = (vmid: number, more: Partial<LostGuest> = {}): LostGuest => ({
  vmid: parseVmid(vmid),
  kind: 'qemu',
  name: 'lost',
  wanted: 'running',
  newest: { generation: parseGeneration(5), owner: LOST },
  storage: 'shared',
  memoryBytes: 100,
  cores: 1,
  bridges: [],
  storages: ['shared'],
  startOrder: null,
  ...more,
});

function statusOf(node: NodeName): NodeStatus {
  const inventory = new FakeWorld(parseVmid(101)).inventory(node);
  const size = node === 'node1' ? 900 : 1_000;
  return {
    node,
    bootId: world.boots.get(node) ?? 'boot',
    registeredAt: null,
    cordoned: false,
    silentSince: world.silent.has(node) ? '2026-01-01T00:00:00Z' : null,
    inventory: { ...inventory, memory: { totalBytes: size, availableBytes: size } },
    inventoryAgeMs: 100,
  };
}

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [server, workflowBundle] = await Promise.all([startTemporalServer(), bundleWorkflows()]);
  const connection = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection });
  kedge = createKedgeClient({ client, nodes: NODES, close: () => connection.close() });
  const control = createControlActivities({
    ...clusterAccess(kedge, { placement: () => Promise.resolve(NO_PLACEMENT) }),
    takeSnapshot: () => Promise.resolve(snapshotFromNodes({ takenAt: '', nodes: NODES.map(statusOf), moves: [] }, NO_PLACEMENT)),
    nodeStatus: (node) => Promise.resolve(statusOf(node)),
    isRunning: (id) => Promise.resolve(world.running.has(id)),
    voidGuest: ({ node, bootId, guest: { vmid, below } }) => {
      if (bootId !== statusOf(node).bootId) return Promise.reject(new KedgeError('node-alive', `${node} has registered again`));
      world.voided.push(`${vmid} below ${below}`);
      return Promise.resolve();
    },
    fencing: {
      config: () => Promise.resolve(world.device === null ? null : { nodes: Object.fromEntries(NODES.map((node) => [node, device(node)])) }),
      fence: async ({ agent }) => {
        world.fenced.push(agent);
        return (await world.device?.(agent)) ?? { off: false, reason: 'no device' };
      },
    },
  });
  const interceptors = { activity: [castErrors] };
  const workers = await Promise.all([
    Worker.create({ connection, taskQueue: CONTROL_QUEUE, workflowBundle, activities: control, interceptors }),
    ...NODES.map((by) =>
      Worker.create({
        connection,
        taskQueue: nodeControlQueue(by),
        interceptors,
        activities: {
          probeNode: ({ node }: { node: NodeName }) =>
            Promise.resolve({
              from: by,
              answers: [
                { address: 'control', answer: null },
                { address: 'other', answer: world.answering.get(node) ?? null },
              ],
            }),
          listLostGuests: ({ lost }: { lost: NodeName }) =>
            Promise.resolve({ guests: world.guests.filter(({ newest }) => newest.owner === lost), unusable: [], handedOver: [] }),
          takeOverLost: () => Promise.resolve(world.take(by)),
        },
      }),
    ),
  ]);
  const runs = Promise.all(workers.map((worker) => worker.run()));
  stop = async () => {
    for (const worker of workers) worker.shutdown();
    await runs;
    await connection.close();
    await server.stop();
  };
});
afterAll(() => stop());

const device = (node: string) => ({ agent: `/fence-${node}`, timeoutSeconds: 1, parameters: {} });

beforeEach(async () => {
  const recoveries = [LOST, ALSO_LOST].map((node) => client.workflow.getHandle(recoveryWorkflowId(node)));
  await Promise.allSettled(recoveries.map((recovery) => recovery.terminate('the next test')));
  world = {
    silent: new Set([LOST]),
    boots: new Map(),
    answering: new Map(),
    running: new Set(),
    device: () => Promise.resolve(OFF),
    guests: [guest(101)],
    take: () => ({ outcome: 'taken', started: true, problem: null }),
    fenced: [],
    voided: [],
  };
});

async function begin(node = LOST): Promise<void> {
  await kedge.startRecovery({ node, lookEveryMs: 100, timings: TIMINGS });
}

async function seen(accept: (report: RecoveryReport) => boolean, node = LOST): Promise<RecoveryReport> {
  for (;;) {
    const report = await kedge.readRecovery(node).catch(() => null);
    if (report !== null && accept(report)) return report;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the recovery of a silent node', { timeout: 30_000 }, () => {
  test('fences it, makes its record of each guest void, has the guest taken over, and ends when it is back', async () => {
    world.guests = [guest(102), guest(103, { startOrder: 1 })];
    await begin();
    const report = await seen(({ taken }) => taken.length >= 2);
    expect(report.taken.slice(0, 2)).toMatchObject([
      { vmid: 103, to: 'node2', problem: null },
      { vmid: 102, to: 'node4', problem: null },
    ]);
    expect([world.fenced, world.voided.slice(0, 2)]).toEqual([['/fence-node3'], ['103 below 9', '102 below 9']]);
    world.silent.clear();
    expect((await seen(({ phase }) => phase === 'back')).proof).toMatchObject({ basis: 'fenced', bootId: 'boot' });
  });

  test('fences nothing that answers on any path', async () => {
    world.answering.set(LOST, 'refused');
    await begin();
    const { evidence } = await seen(({ evidence: facts }) => facts.length > 1);
    expect(evidence.join()).toMatch(/node1 gets nothing from control and a refusal from other of node3/);
    expect([world.fenced, world.voided]).toEqual([[], []]);
  });

  test('fences nothing while less than a majority of the nodes is heard', async () => {
    world.silent.add(ALSO_LOST);
    await begin();
    expect((await seen(({ evidence }) => evidence.length > 1)).evidence.join()).toMatch(/only 2 of 4 nodes are heard, 3 are a majority/);
    expect([world.fenced, world.voided]).toEqual([[], []]);
  });

  test.each([
    ['fails', () => Promise.resolve<FenceOutcome>({ off: false, reason: 'it has no power itself' }), /it has no power itself/],
    [
      'lies',
      () => {
        world.silent.clear();
        return Promise.resolve(OFF);
      },
      /and yet node3 is heard/,
    ],
  ])('asks an operator when its device %s, and decides nothing', async (_, fence, reason) => {
    world.device = fence;
    await begin();
    const { question } = await seen((report) => report.question !== null || report.phase === 'back');
    if (question !== null) expect(question).toMatch(reason);
    expect(world.voided).toEqual([]);
  });

  test('waits for the word of an operator where no device is configured, and does not believe him while the node answers', async () => {
    world.device = null;
    await begin();
    expect((await seen(({ phase }) => phase === 'asking')).question).toMatch(/kedge node confirm-dead node3 --confirm node3/);
    await expect(kedge.confirmDead({ node: LOST, statedBy: 'alice' })).rejects.toMatchObject({
      code: 'node-alive',
      message: expect.stringContaining('its heartbeats are heard'),
    });
    const status: NodeEntityStatus = { node: LOST, bootId: 'boot', registeredAt: null, cordoned: false, silentSince: '2026-01-01T00:00:00Z' };
    await client.workflow.start(WORKFLOW_TYPES.nodePresence, { workflowId: nodeWorkflowId(LOST), taskQueue: 'nobody', memo: { status } });
    world.answering.set(LOST, 'open');
    await expect(kedge.confirmDead({ node: LOST, statedBy: 'alice' })).rejects.toMatchObject({ code: 'node-alive' });
    expect(world.voided).toEqual([]);
    world.answering.clear();
    await kedge.confirmDead({ node: LOST, statedBy: 'alice' });
    expect((await seen(({ taken }) => taken.length > 0)).proof).toMatchObject({ basis: 'operator', statedBy: 'alice' });
  });

  test('takes nothing from a node that has come back in another boot, whenever it does', async () => {
    world.device = () => {
      world.boots.set(LOST, 'next');
      return Promise.resolve(OFF);
    };
    await begin();
    await seen(({ phase }) => phase === 'asking');
    expect(world.voided).toEqual([]);
  });

  test('leaves a guest to its migration, and takes it once that has ended', async () => {
    world.running.add('migration-101');
    await begin();
    expect((await seen(({ left }) => left.length > 0)).left).toEqual([{ vmid: 101, reason: expect.stringMatching(/a migration of it is under way/) }]);
    expect(world.voided).toEqual([]);
    world.running.clear();
    await seen(({ taken }) => taken.length > 0);
  });

  test('tries the next node when one refuses, under the same generation', async () => {
    world.take = (by) => (by === 'node2' ? { outcome: 'refused', reason: 'it is full' } : { outcome: 'taken', started: true, problem: null });
    await begin();
    expect((await seen(({ taken }) => taken.length > 0)).taken[0]).toMatchObject({ vmid: 101, to: 'node4' });
    expect(world.voided.slice(0, 2)).toEqual(['101 below 9', '101 below 9']);
  });

  test('goes on until somebody has taken what its node has lost, also when that is back: at last the node itself', async () => {
    world.take = () => ({ outcome: 'refused', reason: 'not now' });
    await begin();
    await seen(({ owed }) => owed.length > 0);
    world.boots.set(LOST, 'next');
    world.silent.clear();
    expect(await seen(({ phase, left }) => phase === 'settling' && left.length > 0)).toMatchObject({
      owed: [101],
      left: [{ vmid: 101, reason: expect.stringContaining('node3: not now') }],
    });
    const voids = world.voided.length;
    world.take = (by) => (by === LOST ? { outcome: 'taken', started: true, problem: null } : { outcome: 'refused', reason: 'it is full' });
    expect((await seen(({ phase }) => phase === 'back')).taken).toMatchObject([{ vmid: 101, to: LOST, problem: null }]);
    expect(world.voided).toHaveLength(voids);
  });

  test('leaves a silent node alone whose guests would not start elsewhere anyway, and one that a window works on', async () => {
    world.guests = [guest(101, { wanted: 'stopped' })];
    await begin();
    expect((await seen(({ evidence }) => /no guest that should run/.test(evidence.join()))).question).toBeNull();
    world.guests = [guest(101)];
    world.running.add(`upkeep-${LOST}`);
    await seen(({ evidence }) => /a maintenance window is at work/.test(evidence.join()));
    expect([world.fenced, world.voided]).toEqual([[], []]);
    world.running.clear();
    await seen(({ taken }) => taken.length > 0);
  });

  test('fences one node after the other', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.device = async () => {
      await held;
      return { off: false, reason: 'slow' };
    };
    await begin();
    await expect.poll(() => world.fenced, { timeout: 20_000 }).toEqual(['/fence-node3']);
    // The other one falls silent too, while three are still said to be heard.
    world.silent = new Set([ALSO_LOST]);
    world.guests = [guest(104, { newest: { generation: parseGeneration(5), owner: ALSO_LOST } })];
    await begin(ALSO_LOST);
    await seen(({ question }) => /another node is being fenced/.test(question ?? ''), ALSO_LOST);
    expect(world.fenced).toEqual(['/fence-node3']);
    release();
  });
});
