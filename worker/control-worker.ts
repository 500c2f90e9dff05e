import { hostname } from 'node:os';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { castErrors } from '../activities/cast-errors.js';
import type { ClusterAccess } from '../activities/control/cluster-access.js';
import { createControlActivities } from '../activities/control/create-control-activities.js';
import type { KedgeClient } from '../src/client/kedge-client.js';
import type { LimitSettings } from '../src/domain/admission-limits.js';
import { parseNodeName } from '../src/domain/ids.js';
import { NO_RECOVERY, type RecoveryPolicy } from '../src/domain/recovery.js';
import type { BalancePolicy } from '../src/domain/balance/judge-cluster.js';
import type { Blackout } from '../src/domain/window/blackout.js';
import type { Placement } from '../src/domain/plan/placement.js';
import { CONTROL_QUEUE } from '../src/domain/task-queues.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import type { Logger } from '../src/log/logger.js';
import { loadFencingConfig } from '../src/config/load-fencing-config.js';
import { fencingConfigFile, pathsFromEnvironment } from '../src/config/paths.js';
import { fenceNode } from '../src/drivers/fence/fence-node.js';
import { lookAtDevice } from '../src/drivers/fence/look-at-device.js';
import { tellHook, type ClusterHooks } from '../src/drivers/hook/tell-hook.js';
import type { ClusterConfig } from '../src/schema/cluster-config.js';
import { keepBalancer } from './keep-balancer.js';
import { keepAdmission, lastGoodLimits, startingAdmissionWith } from './keep-admission.js';
import { runBySsh } from './run-by-ssh.js';
import { connectWorker } from './temporal/connect-worker.js';
import { installRuntime } from './temporal/install-runtime.js';
import { runWorkers } from './temporal/run-workers.js';
import { watchEvents } from './watch-events.js';
import { watchSuspects } from './watch-suspects.js';
import { workflowBundle } from './temporal/workflow-bundle.js';

/** When no guest is moved. */
type Blackouts = () => Promise<readonly Blackout[]>;

export interface ControlWorkerOptions {
  readonly config: Pick<ClusterConfig, 'temporal' | 'nodes' | 'recovery'>;
  /** As lately as the placement; null: the balancer is off. @throws KedgeError `bad-config` */
  readonly balancePolicy: () => Promise<BalancePolicy | null>;
  /** Reads who is told of events anew at each call, as `placement`. @throws KedgeError `bad-config` */
  readonly hooks: () => Promise<ClusterHooks>;
  /** Reads the operator's wishes anew at each call: a rule that is written needs no restart. @throws KedgeError `bad-config` */
  readonly placement: () => Promise<Placement>;
  /** Likewise. */
  readonly blackouts: Blackouts;
  /** The same of admission's limits. @throws KedgeError `bad-config` */
  readonly limits: () => Promise<LimitSettings>;
  readonly log: Logger;
  /** `<address>:<port>` for Prometheus. */
  readonly metricsAddress?: string;
  readonly signal?: AbortSignal;
}

/** Runs a control worker until SIGTERM, SIGINT or `signal`. Waits for the server; keeps nothing: as many as one likes may run. */
export async function runControlWorker({
  config,
  placement,
  blackouts,
  limits: read,
  hooks,
  balancePolicy,
  log,
  metricsAddress,
  signal,
}: ControlWorkerOptions): Promise<void> {
  installRuntime({ log, ...(metricsAddress === undefined ? {} : { metricsAddress }) });
  const nodes = Object.keys(config.nodes).map(parseNodeName);
  const { connection, namespace, kedge } = await connectWorker({ ...config.temporal, nodes }, { log, ...(signal === undefined ? {} : { signal }) });
  try {
    await crashPoint('control.ensure-namespace', () => kedge.ensureNamespace());
    const limits = await lastGoodLimits(read, log);
    const worker = await createControlWorker({
      connection,
      namespace,
      kedge: startingAdmissionWith(limits, kedge),
      placement,
      blackouts,
      hooks,
      balancePolicy,
      recovery: config.recovery,
      workflows: { workflowBundle: workflowBundle() },
    });
    const stopKeeping = keepAdmission(kedge, { limits, log });
    const stopWatching = watchSuspects(kedge, { recovery: config.recovery, log });
    const stopBalancing = keepBalancer(kedge, { policy: balancePolicy, log });
    const stopTelling = watchEvents(kedge, { hooks, log });
    log.info({ queue: CONTROL_QUEUE, nodes }, 'control worker runs');
    await runWorkers([worker], signal).finally(() => {
      stopKeeping();
      stopWatching();
      stopBalancing();
      stopTelling();
    });
    log.info('control worker ended');
  } finally {
    await connection.close();
  }
}

const NO_HOOKS = (): Promise<ClusterHooks> => Promise.resolve({ cluster: '', hooks: {} });

export interface ControlWorkerParts extends Wishes {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly kedge: KedgeClient;
  readonly workflows: Pick<WorkerOptions, 'workflowBundle'>;
  /** For tests only: what the activities reach instead of the cluster. */
  readonly access?: ClusterAccess;
}

/** Calls at the same time. They wait for others and cost little: a hundred receivers of hooks that hang may not hold up what a recovery asks. */
const ACTIVITY_SLOTS = 1_000;

/** The worker of the queue `control`. A short sticky timeout: the tasks of a killed worker go to the next one after two seconds. */
export function createControlWorker(parts: ControlWorkerParts): Promise<Worker> {
  const { connection, namespace, kedge, workflows, access } = parts;
  return Worker.create({
    connection,
    namespace,
    ...workflows,
    taskQueue: CONTROL_QUEUE,
    activities: createControlActivities(access ?? clusterAccess(kedge, parts)),
    maxCachedWorkflows: 200,
    maxConcurrentActivityTaskExecutions: ACTIVITY_SLOTS,
    stickyQueueScheduleToStartTimeout: '2 seconds',
    shutdownGraceTime: '2 seconds',
    interceptors: { activity: [castErrors] },
  });
}

/** What an operator wishes, read anew by whoever asks. */
type Wishes = Pick<ControlWorkerOptions, 'placement'> &
  Partial<Pick<ControlWorkerOptions, 'blackouts' | 'hooks' | 'balancePolicy'>> & { readonly recovery?: RecoveryPolicy };

/** What the activities reach: the cluster's verbs, this machine's devices, and its key for the nodes. */
export function clusterAccess(kedge: KedgeClient, wishes: Wishes): ClusterAccess {
  const { placement, blackouts = () => Promise.resolve([]), hooks = NO_HOOKS, balancePolicy = () => Promise.resolve(null) } = wishes;
  return {
    nodes: kedge.nodes,
    nodeStatus: (node) => kedge.findNodeStatus(node),
    isRunning: (workflowId, runId) => kedge.isRunning(workflowId, runId),
    requestSlot: (request) => kedge.requestSlot(request),
    releaseSlot: (release) => kedge.releaseSlot(release),
    voidGuest: (decision) => kedge.voidGuest(decision),
    dropVoided: (guest) => kedge.dropVoided(guest),
    cordonNode: (node, cordoned) => kedge.cordonNode(node, cordoned),
    scheduleWindow: (change) => crashPoint('control.schedule-window', () => kedge.scheduleWindow(change)),
    runOnNode: (call) => runBySsh(call),
    tellHook: (call) => tellHook(hooks, call),
    changeAway: (change) => kedge.changeAway(change),
    readMoves: () => kedge.readMoves(),
    placement,
    blackouts,
    balancePolicy,
    readBalance: () => kedge.balance.read(),
    takeSnapshot: async () => kedge.takeSnapshot(await placement()),
    recovery: wishes.recovery ?? NO_RECOVERY,
    fencing: {
      config: () => loadFencingConfig(pathsFromEnvironment()),
      fence: (device) => crashPoint('control.fence-node', () => fenceNode(device)),
      look: lookAtDevice,
      place: `${fencingConfigFile(pathsFromEnvironment())} of ${hostname()}`,
    },
  };
}
