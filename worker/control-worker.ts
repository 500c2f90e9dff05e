import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { castErrors } from '../activities/cast-errors.js';
import type { ClusterAccess } from '../activities/control/cluster-access.js';
import { createControlActivities } from '../activities/control/create-control-activities.js';
import type { KedgeClient } from '../src/client/kedge-client.js';
import { parseNodeName } from '../src/domain/ids.js';
import type { BalancePolicy } from '../src/domain/balance/judge-cluster.js';
import type { Placement } from '../src/domain/plan/placement.js';
import { CONTROL_QUEUE } from '../src/domain/task-queues.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import type { Logger } from '../src/log/logger.js';
import { loadFencingConfig } from '../src/config/load-fencing-config.js';
import { pathsFromEnvironment } from '../src/config/paths.js';
import { fenceNode } from '../src/drivers/fence/fence-node.js';
import type { ClusterConfig } from '../src/schema/cluster-config.js';
import { keepBalancer } from './keep-balancer.js';
import { runBySsh } from './run-by-ssh.js';
import { connectWorker } from './temporal/connect-worker.js';
import { installRuntime } from './temporal/install-runtime.js';
import { runWorkers } from './temporal/run-workers.js';
import { watchSuspects } from './watch-suspects.js';
import { workflowBundle } from './temporal/workflow-bundle.js';

export interface ControlWorkerOptions {
  readonly config: Pick<ClusterConfig, 'temporal' | 'nodes' | 'recovery'>;
  /** Reads the operator's wishes anew at each call: a rule that is written needs no restart. @throws KedgeError `bad-config` */
  readonly placement: () => Promise<Placement>;
  /** As lately as the placement; null: the balancer is off. @throws KedgeError `bad-config` */
  readonly balancePolicy: () => Promise<BalancePolicy | null>;
  readonly log: Logger;
  /** `<address>:<port>` for Prometheus. */
  readonly metricsAddress?: string;
  readonly signal?: AbortSignal;
}

/** How often the worker looks that the cluster's admission entity runs: an operator may have ended it. */
const ADMISSION_CHECK_MS = 30_000;

/** Runs a control worker until SIGTERM, SIGINT or `signal`. Waits for the server; keeps nothing: as many as one likes may run. */
export async function runControlWorker({ config, placement, balancePolicy, log, metricsAddress, signal }: ControlWorkerOptions): Promise<void> {
  installRuntime({ log, ...(metricsAddress === undefined ? {} : { metricsAddress }) });
  const nodes = Object.keys(config.nodes).map(parseNodeName);
  const { connection, namespace, kedge } = await connectWorker({ ...config.temporal, nodes }, { log, ...(signal === undefined ? {} : { signal }) });
  try {
    await crashPoint('control.ensure-namespace', () => kedge.ensureNamespace());
    const worker = await createControlWorker({ connection, namespace, kedge, placement, balancePolicy, workflows: { workflowBundle: workflowBundle() } });
    const stopKeeping = keepAdmission(kedge, log);
    const stopWatching = watchSuspects(kedge, { recovery: config.recovery, log });
    const stopBalancing = keepBalancer(kedge, { policy: balancePolicy, log });
    log.info({ queue: CONTROL_QUEUE, nodes }, 'control worker runs');
    await runWorkers([worker], signal).finally(() => {
      stopKeeping();
      stopWatching();
      stopBalancing();
    });
    log.info('control worker ended');
  } finally {
    await connection.close();
  }
}

export interface ControlWorkerParts {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly kedge: KedgeClient;
  readonly placement: ControlWorkerOptions['placement'];
  /** Absent: the balancer is off. */
  readonly balancePolicy?: ControlWorkerOptions['balancePolicy'];
  readonly workflows: Pick<WorkerOptions, 'workflowBundle'>;
  /** For tests only: what the activities reach instead of the cluster. */
  readonly access?: ClusterAccess;
}

/** The worker of the queue `control`. A short sticky timeout: the tasks of a killed worker go to the next one after two seconds. */
export function createControlWorker({ connection, namespace, kedge, placement, balancePolicy, workflows, access }: ControlWorkerParts): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    ...workflows,
    taskQueue: CONTROL_QUEUE,
    activities: createControlActivities(access ?? clusterAccess(kedge, placement, balancePolicy)),
    maxCachedWorkflows: 200,
    stickyQueueScheduleToStartTimeout: '2 seconds',
    shutdownGraceTime: '2 seconds',
    interceptors: { activity: [castErrors] },
  });
}

/** What the activities reach: the cluster's verbs, this machine's devices, and its key for the nodes. */
export function clusterAccess(
  kedge: KedgeClient,
  placement: ControlWorkerOptions['placement'],
  balancePolicy: ControlWorkerOptions['balancePolicy'] = () => Promise.resolve(null),
): ClusterAccess {
  return {
    nodes: kedge.nodes,
    nodeStatus: (node) => kedge.findNodeStatus(node),
    isRunning: (workflowId) => kedge.isRunning(workflowId),
    requestSlot: (request) => kedge.requestSlot(request),
    releaseSlot: (release) => kedge.releaseSlot(release),
    voidGuest: (decision) => kedge.voidGuest(decision),
    dropVoided: (guest) => kedge.dropVoided(guest),
    cordonNode: (node, cordoned) => kedge.cordonNode(node, cordoned),
    scheduleWindow: (change) => crashPoint('control.schedule-window', () => kedge.scheduleWindow(change)),
    runOnNode: (call) => runBySsh(call),
    changeAway: (change) => kedge.changeAway(change),
    readSlots: () => kedge.readSlots(),
    placement,
    takeSnapshot: async () => kedge.takeSnapshot(await placement()),
    balancePolicy,
    readBalance: () => kedge.balance.read(),
    fencing: { config: () => loadFencingConfig(pathsFromEnvironment()), fence: (device) => crashPoint('control.fence-node', () => fenceNode(device)) },
  };
}

/** Answers how to stop. */
function keepAdmission(kedge: KedgeClient, log: Logger): () => void {
  const ensure = (): void => {
    crashPoint('control.ensure-admission', () => kedge.ensureAdmission()).catch((error: unknown) =>
      log.warn({ error }, 'admission could not be looked after, trying again'),
    );
  };
  ensure();
  const timer = setInterval(ensure, ADMISSION_CHECK_MS);
  return () => clearInterval(timer);
}
