/** `recoverNode` on a real Temporal server, over a cluster that is told by the test. */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { castErrors } from '../../activities/cast-errors.js';
import { createControlActivities } from '../../activities/control/create-control-activities.js';
import { createKedgeClient, type KedgeClient } from '../../src/client/kedge-client.js';
import { parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { LostGuest, TakeOverRequest, TakeOverResult } from '../../src/domain/lost-guest.js';
import type { LastSeenGuest, NodeStatus } from '../../src/domain/node-facts.js';
import { NO_RECOVERY, type RecoveryReport } from '../../src/domain/recovery.js';
import { CONTROL_QUEUE, nodeControlQueue } from '../../src/domain/task-queues.js';
import { recoveryWorkflowId } from '../../src/domain/workflow-names.js';
import type { FenceOutcome } from '../../src/drivers/fence/fence-node.js';
import { NO_PLACEMENT, type Placement } from '../../src/domain/plan/placement.js';
import { snapshotFromNodes } from '../../src/domain/plan/snapshot-from-nodes.js';
import { clusterAccess } from '../../worker/control-worker.js';
import { bundleWorkflows } from './bundle-workflows.js';
import { FakeWorld } from './fake-world.js';
import { expectReplays } from './replay-all.js';
import { startTemporalServer } from './temporal-server.js';

const NODES = ['node1', 'node2', 'node3', 'node4'].map(parseNodeName);
export const [LOST, ALSO_LOST] = [parseNodeName('node3'), parseNodeName('node4')];
const TIMINGS = { silentAfterMs: 2_000, retryFirstMs: 10, retryLongestMs: 50, callTimeoutMs: 5_000 };
export const OFF: FenceOutcome = { off: true };
export const TAKEN: TakeOverResult = { outcome: 'taken', started: true, problem: null };
export const refusal = (reason: string): TakeOverResult => ({ outcome: 'refused', reason });

/** What the cluster is and does; a test changes it while a recovery runs. */
export interface FakeCluster {
  silent: Set<NodeName>;
  readonly boots: Map<NodeName, string>;
  readonly answering: Map<NodeName, 'open' | 'refused'>;
  readonly running: Set<string>;
  device: ((node: string) => Promise<FenceOutcome>) | null;
  guests: readonly LostGuest[];
  /** Until then no node can say which guests are lost. */
  mayList: Promise<void>;
  /** What the lost node has said last that it has. */
  lastGuests: readonly LastSeenGuest[];
  take: (by: NodeName, request: TakeOverRequest) => TakeOverResult | Promise<TakeOverResult>;
  placement: () => Promise<Placement>;
  isEnabled: boolean;
  fenced: string[];
  voided: string[];
  /** The entity of the lost node can't be asked. */
  isVoidingBroken: boolean;
  asked: TakeOverRequest[];
}
export const guest = (vmid: number, more: Partial<LostGuest> = {}): LostGuest => ({
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

function freshWorld(): FakeCluster {
  return {
    silent: new Set([LOST]),
    boots: new Map(),
    answering: new Map(),
    running: new Set(),
    device: () => Promise.resolve(OFF),
    guests: [guest(101)],
    mayList: Promise.resolve(),
    lastGuests: [],
    take: () => ({ outcome: 'taken', started: true, problem: null }),
    placement: () => Promise.resolve(NO_PLACEMENT),
    isEnabled: true,
    fenced: [],
    voided: [],
    isVoidingBroken: false,
    asked: [],
  };
}

export interface RecoveryHarness {
  readonly client: Client;
  readonly kedge: KedgeClient;
  /** Ends what an earlier test has left, and answers a cluster one of whose nodes is silent. */
  reset(): Promise<FakeCluster>;
  begin(node?: NodeName): Promise<void>;
  /** Waits for a report. */
  seen(accept: (report: RecoveryReport) => boolean, node?: NodeName): Promise<RecoveryReport>;
  /** The lost node is heard, in another boot. */
  comesBack(): void;
  stop(): Promise<void>;
}

const device = (node: string) => ({ agent: `/fence-${node}`, timeoutSeconds: 1, parameters: {} });

export async function startRecoveryHarness(): Promise<RecoveryHarness> {
  let world = freshWorld();
  function statusOf(node: NodeName): NodeStatus {
    const inventory = new FakeWorld(parseVmid(101)).inventory(node);
    const size = node === 'node1' ? 900 : 1_000;
    return {
      node,
      bootId: world.boots.get(node) ?? 'boot',
      registeredAt: null,
      cordoned: false,
      silentSince: world.silent.has(node) ? '2026-01-01T00:00:00Z' : null,
      ...(node === LOST ? { lastGuests: world.lastGuests } : {}),
      inventory: { ...inventory, memory: { totalBytes: size, availableBytes: size } },
      inventoryAgeMs: 100,
    };
  }
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [server, workflowBundle] = await Promise.all([startTemporalServer(), bundleWorkflows()]);
  const connection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  const kedge = createKedgeClient({ client, nodes: NODES, close: () => connection.close() });
  const control = createControlActivities({
    ...clusterAccess(kedge, { placement: () => world.placement() }),
    get recovery() {
      return { ...NO_RECOVERY, enabled: world.isEnabled };
    },
    takeSnapshot: () => Promise.resolve(snapshotFromNodes({ takenAt: '', nodes: NODES.map(statusOf), moves: [] }, NO_PLACEMENT)),
    nodeStatus: (node) => Promise.resolve(statusOf(node)),
    isRunning: (id) => Promise.resolve(world.running.has(id)),
    voidGuest: ({ node, bootId, guest: { vmid, below } }) => {
      if (world.isVoidingBroken && vmid !== 101) return Promise.reject(new KedgeError('bad-config', 'Cannot ask the entity'));
      if (bootId !== statusOf(node).bootId) return Promise.reject(new KedgeError('node-alive', `${node} has registered again`));
      world.voided.push(`${vmid} below ${below}`);
      return Promise.resolve();
    },
    fencing: {
      look: ({ agent }) => Promise.resolve({ program: null, facts: null, power: world.silent.size > 0 ? 'on' : 'off', said: agent, tookMs: 5 }),
      place: 'fencing.yaml of here',
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
          listLostGuests: async ({ lost }: { lost: NodeName }) => {
            await world.mayList;
            return { guests: world.guests.filter(({ newest }) => newest.owner === lost), unusable: [], handedOver: [] };
          },
          takeOverLost: (request: TakeOverRequest) => {
            world.asked.push(request);
            return Promise.resolve(world.take(by, request));
          },
        },
      }),
    ),
  ]);
  const runs = Promise.all(workers.map((worker) => worker.run()));

  return {
    client,
    kedge,
    reset: async () => {
      const recoveries = [LOST, ALSO_LOST].map((node) => client.workflow.getHandle(recoveryWorkflowId(node)));
      await Promise.allSettled(recoveries.map((recovery) => recovery.terminate('the next test')));
      return (world = freshWorld());
    },
    begin: (node = LOST) => kedge.startRecovery({ node, lookEveryMs: 100, timings: TIMINGS }),
    seen: async (accept, node = LOST) => {
      for (;;) {
        const report = await kedge.readRecovery(node).catch(() => null);
        if (report !== null && accept(report)) return report;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    comesBack: () => {
      world.boots.set(LOST, 'next');
      world.silent.clear();
    },
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await runs;
      try {
        await expectReplays(client, workflowBundle);
      } finally {
        await connection.close();
        await server.stop();
      }
    },
  };
}
