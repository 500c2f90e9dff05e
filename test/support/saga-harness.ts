/**
 * Runs `migrateGuest` on a real Temporal server against fake nodes: outcomes are injected per guest, so that many migrations run at
 * once on the same workers. After each, `assertExactlyOneRunner` and `assertNothingLeftBehind` judge the world.
 */
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { NO_RECOVERY } from '../../src/domain/recovery.js';
import { NativeConnection, Runtime, DefaultLogger, Worker } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { castErrors } from '../../activities/cast-errors.js';
import type { ClusterAccess } from '../../activities/control/cluster-access.js';
import type { Fencing } from '../../activities/control/fence-lost-node.js';
import { createControlActivities } from '../../activities/control/create-control-activities.js';
import { createKedgeClient, type KedgeClient } from '../../src/client/kedge-client.js';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import type { SlotState } from '../../src/domain/admission.js';
import { parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import type { VoidedGuest } from '../../src/domain/voided-guest.js';
import type { MigrateGuestInput, MigrationKind, MigrationOptions } from '../../src/domain/migration.js';
import type { Wanted } from '../../src/domain/ownership.js';
import { CONTROL_QUEUE, nodeBulkQueue, nodeControlQueue } from '../../src/domain/task-queues.js';
import { ADMISSION_ID, QUERIES, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import type { Blackout } from '../../src/domain/window/blackout.js';
import type { WorkflowTimings } from '../../src/domain/workflow-timings.js';
import { bundleWorkflows } from './bundle-workflows.js';
import { fakeNode } from './fake-node.js';
import { NO_FENCING } from './no-fencing.js';
import { FakeWorld, SOURCE, TARGET } from './fake-world.js';
import { faultyActivities } from './faulty-activities.js';
import type { Outcomes } from './outcomes.js';
import { expectReplays } from './replay-all.js';
import { startTemporalServer } from './temporal-server.js';

export interface StartOptions {
  readonly outcomes?: Outcomes;
  readonly options?: Partial<MigrationOptions>;
  readonly timings?: Partial<WorkflowTimings>;
  readonly target?: NodeName;
  readonly notAfter?: string;
  readonly wanted?: Wanted;
  readonly movement?: MigrationKind;
}

/** One started migration. */
export interface SagaRun {
  readonly world: FakeWorld;
  readonly ref: MigrationRef;
  /** Resolves with the last view when the workflow has ended. */
  ended(): Promise<MigrationView>;
  /** Resolves with the first view that `accept` takes. */
  seen(accept: (view: MigrationView) => boolean): Promise<MigrationView>;
}

/** Waits of the tests: short, but long enough for a loaded machine to answer in time. */
const TIMINGS: Partial<WorkflowTimings> = {
  silentAfterMs: 20_000,
  heartbeatTimeoutMs: 5_000,
  retryFirstMs: 10,
  retryLongestMs: 50,
  askOperatorAfterMs: 30_000,
};

export interface SagaHarness {
  readonly client: Client;
  readonly kedge: KedgeClient;
  start(options?: StartOptions): Promise<SagaRun>;
  slots(): Promise<SlotState>;
  stop(): Promise<void>;
}

/** A node of the cluster that takes up no call. */
export const SILENT = parseNodeName('node9');

const NODES = [SOURCE, TARGET, SILENT];

/** The cluster around the guests, for tests in which a node is lost. */
export interface HarnessOptions {
  readonly nodes?: readonly NodeName[];
  /** What is known of a node; by default nothing. */
  readonly nodeStatus?: (node: NodeName) => NodeStatus | null;
  readonly fencing?: Partial<Fencing>;
  /** What a node gets that knocks at another; nothing by default. */
  readonly probe?: (node: NodeName) => 'open' | 'refused' | null;
  readonly blackouts?: () => readonly Blackout[];
}

/** Starts server and workers; `stop` ends both. */
export async function startSagaHarness({
  nodes = NODES,
  nodeStatus = () => null,
  fencing = {},
  blackouts = () => [],
  probe = () => null,
}: HarnessOptions = {}): Promise<SagaHarness> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [server, workflowBundle] = await Promise.all([startTemporalServer(), bundleWorkflows()]);
  const connection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  const kedge = createKedgeClient({ client, nodes, close: () => connection.close() });
  await kedge.ensureNamespace();

  const worlds = new Map<number, FakeWorld>();
  const outcomes = new Map<number, Outcomes>();
  const cluster: ClusterAccess = {
    ...kedge,
    nodes,
    nodeStatus: (node) => Promise.resolve(nodeStatus(node)),
    takeSnapshot: () => Promise.reject(new Error('The test does not expect a snapshot')),
    placement: () => Promise.resolve(NO_PLACEMENT),
    recovery: NO_RECOVERY,
    blackouts: () => Promise.resolve(blackouts()),
    balancePolicy: () => Promise.resolve(null),
    readBalance: () => kedge.balance.read(),
    voidGuest: async ({ guest }) => change(guest.vmid, (voided) => [...voided, guest]),
    dropVoided: async ({ guest }) => change(guest.vmid, () => []),
    tellHook: () => Promise.resolve('200 OK'),
    runOnNode: () => Promise.resolve({ exitCode: 0, timedOut: false, output: '' }),
    fencing: { ...NO_FENCING, ...fencing },
  };
  const change = (vmid: number, how: (voided: readonly VoidedGuest[]) => readonly VoidedGuest[]): void => {
    const world = worlds.get(vmid);
    if (world !== undefined) world.voided = how(world.voided);
  };
  const nodeActivities = faultyActivities({ worldOf: (vmid) => worlds.get(vmid), outcomesOf: (vmid) => outcomes.get(vmid) ?? {}, activitiesOf: fakeNode });
  const interceptors = { activity: [castErrors] };
  const workers = await Promise.all([
    Worker.create({
      connection,
      taskQueue: CONTROL_QUEUE,
      workflowBundle,
      activities: createControlActivities(cluster),
      interceptors,
      maxCachedWorkflows: 200,
    }),
    ...[SOURCE, TARGET]
      .flatMap((node) => [nodeControlQueue(node), nodeBulkQueue(node)])
      .map((taskQueue) =>
        Worker.create({
          connection,
          taskQueue,
          activities: {
            ...nodeActivities,
            probeNode: (input: { node: NodeName }) => Promise.resolve({ from: SOURCE, answers: [{ address: 'any', answer: probe(input.node) }] }),
          },
          interceptors,
          maxHeartbeatThrottleInterval: '100 milliseconds',
          shutdownForceTime: '2 seconds',
        }),
      ),
  ]);
  const runs = Promise.all(workers.map((worker) => worker.run()));
  await client.workflow.start(WORKFLOW_TYPES.admission, {
    taskQueue: CONTROL_QUEUE,
    workflowId: ADMISSION_ID,
    args: [{ limits: { perNode: 1_000, cluster: 1_000 }, timings: { leaseCheckMs: 200 } }],
  });

  let nextVmid = 100;
  return {
    client,
    kedge,
    start: async ({ outcomes: planned = {}, options = {}, timings = {}, notAfter, target = TARGET, wanted = 'running', movement = 'live' } = {}) => {
      const vmid = parseVmid((nextVmid += 1));
      const world = new FakeWorld(vmid, { wanted, movement });
      worlds.set(vmid, world);
      outcomes.set(vmid, planned);
      const input: MigrateGuestInput = { vmid, source: SOURCE, target, options, requestedBy: 'harness', timings: { ...TIMINGS, ...timings } };
      const ref = await kedge.startMigration({ ...input, ...(notAfter === undefined ? {} : { notAfter }) });
      return { world, ref, ended: () => waitForEnd(client, kedge, ref), seen: (accept) => firstView(kedge, ref, accept) };
    },
    slots: () => client.workflow.getHandle(ADMISSION_ID).query<SlotState>(QUERIES.slots),
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

async function waitForEnd(client: Client, kedge: KedgeClient, ref: MigrationRef): Promise<MigrationView> {
  await client.workflow
    .getHandle(ref.workflowId, ref.runId)
    .result()
    .catch(() => undefined);
  return kedge.showMigration(ref);
}

async function firstView(kedge: KedgeClient, ref: MigrationRef, accept: (view: MigrationView) => boolean): Promise<MigrationView> {
  for await (const view of kedge.watchMigration(ref, { intervalMs: 30 })) if (accept(view)) return view;
  throw new Error(`Migration ${ref.workflowId} ended before it was seen as expected`);
}
