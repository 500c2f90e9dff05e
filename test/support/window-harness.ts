/** Windows on a real server, over drains and work that only say what they did. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import { castErrors } from '../../activities/cast-errors.js';
import type { GuestCommand, NodeAudit } from '../../activities/interface.js';
import type { CommandEnd } from '../../activities/interface-control.js';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import { parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { nodeControlQueue } from '../../src/domain/task-queues.js';
import type { WindowDefinition, WindowReport } from '../../src/domain/window/window.js';
import { createLogger } from '../../src/log/logger.js';
import { parseWindowFile } from '../../src/schema/window-file.js';
import { nextOccurrences } from '../../src/schema/window-occurrences.js';
import { clusterAccess, createControlWorker } from '../../worker/control-worker.js';
import { connectWorker } from '../../worker/temporal/connect-worker.js';
import { runWorkers } from '../../worker/temporal/run-workers.js';
import { bundleWorkflows } from './bundle-workflows.js';
import { FakeWorld } from './fake-world.js';
import { expectReplays } from './replay-all.js';
import { startTemporalServer } from './temporal-server.js';

const SOON = '2030-01-01T00:00';
/** A window of an hour that has the command `patch`, but for these fields of its file. */
export const windowOf = (fields: Record<string, unknown>): WindowDefinition =>
  parseWindowFile({ zone: 'UTC', start: SOON, duration: '1h', command: 'patch', ...fields });

type Work = (node: NodeName, command: string, timeoutMs: number) => Promise<Partial<CommandEnd>>;
const WORK: Work = () => delay(50).then(() => ({}));

export interface WindowHarness {
  readonly client: Client;
  readonly kedge: KedgeClient;
  /** What was done to nodes, in order. */
  log: string[];
  /** Nodes that were worked on at the same time. */
  most: number;
  /** What a command does. */
  work: Work;
  /** Processes of guests by node, null where the node can't tell; a node that is missing here has no worker. */
  readonly processes: Map<NodeName, readonly { readonly vmid: number; readonly pid: number }[] | null>;
  readonly boots: Map<string, number>;
  /** Forgets what was done, and what work does. */
  reset(): void;
  /** Begins a worker of the node that answers its calls. */
  serveNode(node: NodeName): Promise<void>;
  /** Makes a window and opens it now. */
  open(fields: Record<string, unknown>): Promise<void>;
  ended(name: string): Promise<WindowReport>;
  stop(): Promise<void>;
}

export async function startWindowHarness(): Promise<WindowHarness> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [server, workflowBundle] = await Promise.all([startTemporalServer(), bundleWorkflows('./window-workflows.ts')]);
  const connected = await connectWorker(
    { address: server.address, namespace: 'default', nodes: [parseNodeName('e2')] },
    { log: createLogger({ level: 'error' }) },
  );
  const { kedge, connection } = connected;
  const world = new FakeWorld(parseVmid(101));
  let now = 0;
  const control = await createControlWorker({
    ...connected,
    workflows: { workflowBundle },
    placement: () => Promise.resolve(NO_PLACEMENT),
    access: {
      ...clusterAccess(kedge, { placement: () => Promise.resolve(NO_PLACEMENT) }),
      nodeStatus: (node) => Promise.resolve(statusOf(node)),
      cordonNode: (node, cordoned) => Promise.resolve(void harness.log.push(`${cordoned ? 'cordon' : 'uncordon'} ${node}`)),
      runOnNode: async ({ node, command, timeoutMs }) => {
        harness.log.push(`${command} ${node}`);
        harness.most = Math.max(harness.most, (now += 1));
        try {
          return { exitCode: 0, timedOut: false, output: 'said', ...(await harness.work(node, command, timeoutMs)) };
        } finally {
          now -= 1;
        }
      },
    },
  });
  const ending = new AbortController();
  const runs = runWorkers([control], ending.signal);
  const nodeWorkers: { readonly worker: Worker; readonly run: Promise<void> }[] = [];

  function statusOf(node: NodeName): NodeStatus {
    const inventory = { ...world.inventory(node), guests: [] };
    return { node, bootId: `boot-${harness.boots.get(node) ?? 0}`, registeredAt: null, cordoned: true, silentSince: null, inventory, inventoryAgeMs: 0 };
  }

  const harness: WindowHarness = {
    client: new Client({ connection }),
    kedge,
    log: [],
    most: 0,
    work: WORK,
    processes: new Map(),
    boots: new Map(),
    reset: () => {
      harness.log = [];
      harness.most = 0;
      harness.work = WORK;
    },
    serveNode: async (node) => {
      if (harness.processes.has(node)) return;
      harness.processes.set(node, []);
      const auditNode = (): Promise<Pick<NodeAudit, 'processes'>> => {
        const running = harness.processes.get(node) ?? null;
        if (running === null) return Promise.reject(new KedgeError('bad-input', 'no answer'));
        return Promise.resolve({ processes: running.map((process) => ({ ...process, command: 'qemu', incoming: false })) });
      };
      const manageGuest = ({ verb, vmid }: GuestCommand): Promise<object> => {
        if (node.startsWith('offbad')) return Promise.reject(new KedgeError('guest-state', 'it has no disk'));
        harness.log.push(`${verb} ${vmid} ${node}`);
        return Promise.resolve({ guest: null, config: null });
      };
      const worker = await Worker.create({
        connection,
        taskQueue: nodeControlQueue(node),
        activities: { auditNode, manageGuest },
        interceptors: { activity: [castErrors] },
      });
      nodeWorkers.push({ worker, run: worker.run() });
    },
    open: async (fields) => {
      const definition = windowOf(fields);
      await Promise.all((definition.nodes ?? []).map((node) => harness.serveNode(node)));
      const occurrences = nextOccurrences(definition, { from: new Date().toISOString(), count: 5, skipped: [] });
      await kedge.windows.create({ definition, occurrences });
      await kedge.windows.runNow(definition.name);
    },
    ended: async (name) => {
      const report = async (): Promise<WindowReport | null> => (await kedge.windows.show(name)).report;
      await expect.poll(async () => (await report())?.end ?? null, { timeout: 60_000, interval: 100 }).not.toBeNull();
      const ended = await report();
      if (ended === null) throw new Error(`Window ${name} has no report`);
      return ended;
    },
    stop: async () => {
      ending.abort();
      for (const { worker } of nodeWorkers) worker.shutdown();
      await Promise.all([runs, ...nodeWorkers.map(({ run }) => run)]);
      try {
        await expectReplays(new Client({ connection }), workflowBundle);
      } finally {
        await connection.close();
        await server.stop();
      }
    },
  };
  return harness;
}
