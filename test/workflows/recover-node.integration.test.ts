/** `recoverNode` on a real Temporal server, over a cluster that is told by the test: what is asked, fenced, decided and taken, and when nothing is. */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { castErrors } from '../../activities/cast-errors.js';
import { createControlActivities } from '../../activities/control/create-control-activities.js';
import { createKedgeClient, type KedgeClient } from '../../src/client/kedge-client.js';
import { parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { LostGuest, TakeOverRequest, TakeOverResult } from '../../src/domain/lost-guest.js';
import type { NodeEntityStatus, NodeStatus } from '../../src/domain/node-facts.js';
import { NO_RECOVERY, type RecoveryReport } from '../../src/domain/recovery.js';
import { CONTROL_QUEUE, nodeControlQueue } from '../../src/domain/task-queues.js';
import { nodeWorkflowId, recoveryWorkflowId, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import type { FenceOutcome } from '../../src/drivers/fence/fence-node.js';
import { NO_PLACEMENT, type Placement } from '../../src/domain/plan/placement.js';
import { snapshotFromNodes } from '../../src/domain/plan/snapshot-from-nodes.js';
import { clusterAccess } from '../../worker/control-worker.js';
import { bundleWorkflows } from '../support/bundle-workflows.js';
import { FakeWorld } from '../support/fake-world.js';
import { startTemporalServer } from '../support/temporal-server.js';

const NODES = ['node1', 'node2', 'node3', 'node4'].map(parseNodeName);
const [LOST, ALSO_LOST] = [parseNodeName('node3'), parseNodeName('node4')];
const TIMINGS = { silentAfterMs: 2_000, retryFirstMs: 10, retryLongestMs: 50, callTimeoutMs: 5_000 };
const OFF: FenceOutcome = { off: true };
const TAKEN: TakeOverResult = { outcome: 'taken', started: true, problem: null };
const refusal = (reason: string): TakeOverResult => ({ outcome: 'refused', reason });

interface FakeCluster {
  silent: Set<NodeName>;
  readonly boots: Map<NodeName, string>;
  readonly answering: Map<NodeName, 'open' | 'refused'>;
  readonly running: Set<string>;
  device: ((node: string) => Promise<FenceOutcome>) | null;
  guests: readonly LostGuest[];
  take: (by: NodeName, request: TakeOverRequest) => TakeOverResult;
  placement: () => Promise<Placement>;
  isEnabled: boolean;
  fenced: string[];
  voided: string[];
  asked: TakeOverRequest[];
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
    ...clusterAccess(kedge, { placement: () => world.placement() }),
    get recovery() {
      return { ...NO_RECOVERY, enabled: world.isEnabled };
    },
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
          takeOverLost: (request: TakeOverRequest) => {
            world.asked.push(request);
            return Promise.resolve(world.take(by, request));
          },
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
    placement: () => Promise.resolve(NO_PLACEMENT),
    isEnabled: true,
    fenced: [],
    voided: [],
    asked: [],
  };
});

/** The lost node, in another boot. */
function comesBack(): void {
  world.boots.set(LOST, 'next');
  world.silent.clear();
}

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
    expect(world.voided.slice(0, 2)).toEqual(['101 below 9']);
  });

  test('goes on until somebody has taken what its node has lost, also when that is back: at last the node itself', async () => {
    world.take = () => refusal('not now');
    await begin();
    await seen(({ owed }) => owed.length > 0);
    comesBack();
    const settling = await seen(({ phase, left }) => phase === 'settling' && left.length > 0);
    expect([settling.owed.map(({ vmid }) => vmid), settling.left]).toEqual([[101], [{ vmid: 101, reason: expect.stringContaining('node3: not now') }]]);
    expect(world.asked.at(-1)).toMatchObject({ isLostOff: false });
    world.take = (by) => (by === LOST ? TAKEN : refusal('it is full'));
    expect((await seen(({ phase }) => phase === 'back')).taken).toMatchObject([{ vmid: 101, to: LOST, problem: null }]);
    expect(world.voided).toEqual(['101 below 9']);
  });

  test('takes nothing from the node in its next boot without another proof, when that has taken a guest itself and its answer was lost', async () => {
    world.take = () => refusal('not now');
    await begin();
    await seen(({ owed }) => owed.length > 0);
    comesBack();
    await seen(({ phase }) => phase === 'settling');
    // Its marker is there, and it is cut off before it can say so. It answers on one path: nobody may believe that it is off.
    world.guests = [guest(101, { newest: { generation: parseGeneration(9), owner: LOST } })];
    world.answering.set(LOST, 'open');
    world.silent.add(LOST);
    world.take = (_, { newest }) => (newest.generation === 9 ? TAKEN : refusal('its storage says that node3 has it'));
    expect((await seen(({ phase, silentSince }) => phase === 'looking' && silentSince !== null)).proof).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { taken, owed } = await kedge.readRecovery(LOST);
    expect([taken, owed.length]).toEqual([[], 1]);
    // Its power is cut, for all to see: its guests are lost once more, under a generation beyond the one that it has taken.
    world.answering.clear();
    expect((await seen((report) => report.taken.length > 0)).proof).toMatchObject({ bootId: 'next' });
    expect(world.voided).toEqual(['101 below 9', '101 below 13']);
  });

  test('tells a taker once more that has made its marker and then failed, until it has the guest; the others can not', async () => {
    // The storage names node2 from its marker on.
    world.take = (by) => {
      if (by !== 'node2') return refusal('its storage says that node2 has it');
      world.guests = [];
      return refusal('its disk is full');
    };
    await begin();
    expect((await seen(({ left }) => /its disk is full/.test(left[0]?.reason ?? ''))).owed).toMatchObject([
      { vmid: 101, asked: expect.arrayContaining(['node2']) },
    ]);
    comesBack();
    await seen(({ phase }) => phase === 'settling');
    world.take = (by) => (by === 'node2' ? TAKEN : refusal('its storage says that node2 has it'));
    expect((await seen(({ phase }) => phase === 'back')).taken).toMatchObject([{ vmid: 101, to: 'node2' }]);
  });

  test('owes a guest no longer that some node owns', async () => {
    world.take = () => ({ outcome: 'owned', by: parseNodeName('node4') });
    await begin();
    await seen(({ proof }) => proof !== null);
    comesBack();
    expect(await seen(({ phase }) => phase === 'back')).toMatchObject({ taken: [], owed: [] });
  });

  test('does not end while a node that is heard in the very boot that was given up has guests whose records are void', async () => {
    world.take = () => refusal('node3 has a process of the guest');
    await begin();
    await seen(({ owed }) => owed.length > 0);
    world.silent.clear();
    expect(await seen(({ phase, left }) => phase === 'settling' && left.length > 0)).toMatchObject({ owed: [{ vmid: 101 }], proof: null });
  });

  test('survives a control worker that can not place guests now, and goes on with what it had decided', async () => {
    world.placement = () => Promise.reject(new KedgeError('bad-config', 'Cannot read kedge.yaml'));
    await begin();
    expect((await seen(({ trouble }) => trouble != null)).trouble).toMatch(/Cannot read kedge.yaml/);
    world.placement = () => Promise.resolve(NO_PLACEMENT);
    expect((await seen(({ taken }) => taken.length > 0)).trouble ?? null).toBeNull();
    expect(world.fenced).toEqual(['/fence-node3']);
  });

  test('fences nobody while recovery is off, whoever has begun it, and asks', async () => {
    world.isEnabled = false;
    await begin();
    expect((await seen(({ phase }) => phase === 'asking')).question).toMatch(/recovery is off in kedge.yaml[^]*confirm-dead/);
    expect(world.fenced).toEqual([]);
  });

  test('takes the word of an operator while its device hangs', async () => {
    let release = (): void => undefined;
    world.device = () => new Promise((resolve) => (release = () => resolve({ off: false, reason: 'late' })));
    await begin();
    await expect.poll(() => world.fenced, { timeout: 20_000 }).toEqual(['/fence-node3']);
    const recovery = client.workflow.getHandle(recoveryWorkflowId(LOST));
    await recovery.executeUpdate('confirmDead', { args: [{ statedBy: 'alice' }] });
    expect((await seen(({ taken }) => taken.length > 0)).proof).toMatchObject({ basis: 'operator' });
    release();
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
