/** A control worker and one node's workers as they really run, over a real server; only the node's activities are fake. */
import { Context } from '@temporalio/activity';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { NodeActivities } from '../../activities/interface.js';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import type { ClusterHooks } from '../../src/drivers/hook/tell-hook.js';
import { createLogger } from '../../src/log/logger.js';
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { createControlWorker } from '../../worker/control-worker.js';
import { connectWorker, type WorkerConnection } from '../../worker/temporal/connect-worker.js';
import { runNodeTemporalWorkers } from '../../worker/temporal/run-node-workers.js';
import { runWorkers } from '../../worker/temporal/run-workers.js';
import { bundleWorkflows } from './bundle-workflows.js';
import { fakeNode } from './fake-node.js';
import { FakeWorld } from './fake-world.js';
import { startTemporalServer } from './temporal-server.js';
import { emptyNode } from './audited.js';

export const NODE = parseNodeName('node1');
export const OTHER = parseNodeName('node2');

export interface TestCluster {
  readonly address: string;
  readonly kedge: KedgeClient;
  readonly connected: WorkerConnection;
  /** Tokens of the attempts of `presence`, oldest first. */
  readonly presences: Uint8Array[];
  /** The node's workers end, in order, and can be started again. */
  stopNode(): Promise<void>;
  startNode(): void;
  stop(): Promise<void>;
}

/** `activities`: those of the node; fake ones by default. */
export async function startTestCluster(
  given: { readonly activities?: NodeActivities; readonly hooks?: () => Promise<ClusterHooks> } = {},
): Promise<TestCluster> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [server, workflowBundle] = await Promise.all([startTemporalServer(), bundleWorkflows()]);
  const log = createLogger({ level: 'error' });
  const settings = { address: server.address, namespace: 'default', nodes: [NODE, OTHER] };
  const connected = await connectWorker(settings, { log });
  await connected.kedge.ensureNamespace();
  const control = await createControlWorker({
    ...connected,
    placement: () => Promise.resolve(NO_PLACEMENT),
    ...(given.hooks === undefined ? {} : { hooks: given.hooks }),
    workflows: { workflowBundle },
  });
  const ending = new AbortController();
  const controlRuns = runWorkers([control], ending.signal);
  await connected.kedge.ensureAdmission();

  const presences: Uint8Array[] = [];
  let node: { readonly ending: AbortController; readonly runs: Promise<void> } | null = null;
  const startNode = (): void => {
    const nodeEnding = new AbortController();
    node = {
      ending: nodeEnding,
      runs: runNodeTemporalWorkers(connected, {
        node: NODE,
        activities: given.activities ?? nodeActivities(presences),
        bulkSlots: 2,
        signal: nodeEnding.signal,
      }),
    };
  };
  const stopNode = async (): Promise<void> => {
    node?.ending.abort();
    await node?.runs;
    node = null;
  };
  startNode();
  return {
    address: server.address,
    kedge: connected.kedge,
    connected,
    presences,
    startNode,
    stopNode,
    stop: async () => {
      await stopNode();
      ending.abort();
      await controlRuns;
      await connected.connection.close();
      await server.stop();
    },
  };
}

function nodeActivities(presences: Uint8Array[]): NodeActivities {
  const world = new FakeWorld(parseVmid(101));
  const summary = {
    vmid: world.vmid,
    kind: 'qemu',
    name: 'test',
    record: 'owned',
    generation: world.generation(),
    wanted: 'running',
    migrationId: null,
    qemu: 'running',
    memoryBytes: 1,
    cores: 1,
  } as const;
  return {
    ...fakeNode(world),
    presence: async ({ node }) => {
      const context = Context.current();
      presences.push(context.info.taskToken);
      const beat = (): void => context.heartbeat({ ...world.inventory(node), guests: [summary] });
      beat();
      const timer = setInterval(beat, 200);
      return context.cancelled.finally(() => clearInterval(timer));
    },
    manageGuest: async ({ verb }) => ({ guest: summary, config: `verb: ${verb}` }),
    repairNode: async ({ repair }) => ({ outcome: 'done', because: repair.do }),
    probeNode: async ({ node }) => ({ from: node, answers: [] }),
    listLostGuests: async () => ({ guests: [], unusable: [], handedOver: [] }),
    takeOverLost: async () => ({ outcome: 'refused', reason: 'The test has no storage' }),
    auditNode: async ({ node }) => ({ ...emptyNode(node, { guests: [summary] }), bootId: 'boot', views: [] }),
  };
}
