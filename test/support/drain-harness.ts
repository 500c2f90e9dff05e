/** Drains on a real server over a cluster in memory: guests move when the test lets them. */
import { NO_FENCING } from './no-fencing.js';
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { NO_RECOVERY } from '../../src/domain/recovery.js';
import { ApplicationFailure } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { castErrors } from '../../activities/cast-errors.js';
import type { ClusterAccess } from '../../activities/control/cluster-access.js';
import { createControlActivities } from '../../activities/control/create-control-activities.js';
import type { EvacuationRef } from '../../src/client/evacuation.js';
import { createKedgeClient, type KedgeClient } from '../../src/client/kedge-client.js';
import type { EvacuateNodeInput, EvacuationReport } from '../../src/domain/evacuation.js';
import type { BalancePolicy } from '../../src/domain/balance/judge-cluster.js';
import { parseNodeName, type NodeName } from '../../src/domain/ids.js';
import type { MigrateGuestInput } from '../../src/domain/migration.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from '../../src/domain/plan/snapshot.js';
import type { Blackout } from '../../src/domain/window/blackout.js';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';
import { bundleWorkflows } from './bundle-workflows.js';
import type { FakeMoves } from './drain-workflows.js';
import { expectReplays } from './replay-all.js';
import { startTemporalServer } from './temporal-server.js';
import { plainGuest } from './plain-guest.js';
import { plainNode } from './plain-node.js';

const GIB = 2 ** 30;
/** Few enough that a drain of some guests crosses it. */
const FLAGS = ['--dynamic-config-value=limit.historyCount.suggestContinueAsNew=120'];
export const TIMINGS = { drainLookMs: 150, lookAgainMs: 50, retryFirstMs: 20, retryLongestMs: 100, moveRetryMs: 200 };

/** A cluster in memory. */
export class DrainWorld {
  readonly nodes: SnapshotNode[] = [];
  readonly guests = new Map<number, SnapshotGuest>();
  readonly moves: string[] = [];
  readonly underWay = new Set<number>();
  mostAtOnce = 0;
  /** When no guest is moved. */
  blackouts: readonly Blackout[] = [];
  /** Guests whose moves get no slot. */
  readonly queued = new Set<number>();
  /** What becomes of a move; by default it succeeds at once. */
  onMove: (input: MigrateGuestInput) => Promise<void> = () => Promise.resolve();
  onPower: (vmid: number) => Promise<void> = () => Promise.resolve();

  constructor(names: readonly string[], memoryGib = 64) {
    for (const name of names) this.nodes.push(plainNode(name, { memoryBytes: memoryGib * GIB }));
  }

  add(vmid: number, node: string, more: Partial<SnapshotGuest> = {}): void {
    this.guests.set(vmid, plainGuest(vmid, node, more));
  }

  on(node: string): number[] {
    return [...this.guests.values()].filter((guest) => guest.node === node).map(({ vmid }) => vmid);
  }

  readonly activities: FakeMoves = {
    waits: ({ vmid }) => Promise.resolve(this.queued.has(vmid)),
    move: async (input) => {
      const { vmid, target } = input;
      const guest = this.guests.get(vmid);
      if (guest === undefined || guest.node !== input.source) throw failure('migration-refused', `guest ${vmid} is not on ${String(input.source)}`);
      this.underWay.add(vmid);
      this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay.size);
      try {
        this.moves.push(`${vmid} ${guest.node} ${target}`);
        await this.onMove(input);
        this.guests.set(vmid, { ...guest, node: parseNodeName(target) });
        return { id: `${vmid}-7` };
      } finally {
        this.underWay.delete(vmid);
      }
    },
    power: async ({ vmid }) => {
      await this.onPower(vmid);
      const guest = this.guests.get(vmid);
      if (guest !== undefined) this.guests.set(vmid, { ...guest, running: false });
    },
  };
}

export const failure = (type: string, message: string): ApplicationFailure => ApplicationFailure.create({ type, message, nonRetryable: true });

/** A worker that is made to end in the midst of its work says so; its successor goes on. */
const ignored = (): undefined => undefined;

export interface DrainHarness {
  readonly client: Client;
  readonly kedge: KedgeClient;
  world: DrainWorld;
  /** Of the balancer; null: it is off. */
  policy: BalancePolicy | null;
  /** Begins with a cluster of its own; nodes are known by their entities. */
  begin(world: DrainWorld): Promise<void>;
  start(plan: EvacuationReport['plan'], input: EvacuateNodeInput): Promise<EvacuationRef>;
  ended(ref: EvacuationRef): Promise<EvacuationReport>;
  /** Ends the control worker and starts another one, which knows nothing. */
  restartWorker(): Promise<void>;
  stop(): Promise<void>;
}

export async function startDrainHarness(names: readonly string[]): Promise<DrainHarness> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const nodes = names.map(parseNodeName);
  const [server, workflowBundle] = await Promise.all([startTemporalServer({ flags: FLAGS }), bundleWorkflows('./drain-workflows.ts')]);
  const connection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  const kedge = createKedgeClient({ client, nodes, close: () => connection.close() });
  await kedge.ensureNamespace();
  const cluster: ClusterAccess = {
    ...kedge,
    takeSnapshot: () => snapshot(),
    placement: () => Promise.resolve(NO_PLACEMENT),
    recovery: NO_RECOVERY,
    blackouts: () => Promise.resolve(harness.world.blackouts),
    tellHook: () => Promise.reject(new Error('A drain tells no hook')),
    balancePolicy: () => Promise.resolve(harness.policy),
    readBalance: () => kedge.balance.read(),
    runOnNode: () => Promise.reject(new Error('A drain runs no command')),
    fencing: NO_FENCING,
  };
  const control = createControlActivities(cluster);
  const createWorker = () =>
    Worker.create({
      connection,
      taskQueue: CONTROL_QUEUE,
      workflowBundle,
      activities: {
        ...control,
        waits: (input: MigrateGuestInput) => harness.world.activities.waits(input),
        move: (input: MigrateGuestInput) => harness.world.activities.move(input),
        power: (input: { vmid: number; verb: string }) => harness.world.activities.power(input),
      },
      interceptors: { activity: [castErrors] },
      shutdownForceTime: '2 seconds',
      stickyQueueScheduleToStartTimeout: '200 milliseconds',
    });
  let worker = await createWorker();
  let run = worker.run().catch(ignored);

  async function snapshot(): Promise<ClusterSnapshot> {
    const statuses = await Promise.all(nodes.map((node) => kedge.nodeStatus(node)));
    const homes = new Map(statuses.flatMap(({ node, away = [] }) => away.map(({ vmid }): [number, NodeName] => [vmid, node])));
    return {
      v: 1,
      takenAt: new Date().toISOString(),
      nodes: harness.world.nodes.map((node) => ({
        ...node,
        state: statuses.find((status) => status.node === node.name)?.cordoned === true ? 'cordoned' : 'online',
      })),
      guests: [...harness.world.guests.values()].map((guest) => ({ ...guest, home: homes.get(guest.vmid) ?? null })),
      rules: [],
      survivesOneNode: false,
    };
  }

  const harness: DrainHarness = {
    client,
    kedge,
    world: new DrainWorld(names),
    policy: null,
    begin: async (world) => {
      harness.world = world;
      for (const node of nodes) {
        await kedge.registerNode({ node, bootId: 'boot' });
        await kedge.cordonNode(node, false);
        for (const { vmid } of (await kedge.nodeStatus(node)).away ?? []) await kedge.changeAway({ node, vmid, at: '', away: false });
      }
    },
    start: (plan, input) => kedge.startEvacuation(plan, { requestedBy: 'test', ...input, timings: TIMINGS }),
    ended: async ({ workflowId, firstRunId }) =>
      client.workflow.getHandle<() => Promise<EvacuationReport>>(workflowId, undefined, { firstExecutionRunId: firstRunId }).result(),
    restartWorker: async () => {
      worker.shutdown();
      await run;
      worker = await createWorker();
      run = worker.run().catch(ignored);
    },
    stop: async () => {
      worker.shutdown();
      await run;
      try {
        await expectReplays(client, workflowBundle);
      } finally {
        await connection.close();
        await server.stop();
      }
    },
  };
  return harness;
}
