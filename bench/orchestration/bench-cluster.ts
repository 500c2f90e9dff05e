import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Client } from '@temporalio/client';
import { createControlWorker } from '../../worker/control-worker.js';
import { connectWorker } from '../../worker/temporal/connect-worker.js';
import { installRuntime } from '../../worker/temporal/install-runtime.js';
import { runNodeTemporalWorkers } from '../../worker/temporal/run-node-workers.js';
import { runWorkers } from '../../worker/temporal/run-workers.js';
import { workflowBundle } from '../../worker/temporal/workflow-bundle.js';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import { parseNodeName } from '../../src/domain/ids.js';
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { startTemporalServer } from '../temporal-server.js';
import { emptyActivities } from './empty-activities.js';

/** A cluster of two nodes without any guest behind them: the product's workflows and workers, activities that do nothing. */
export interface BenchCluster {
  readonly address: string;
  readonly kedge: KedgeClient;
  readonly client: Client;
  stop(): Promise<void>;
}

export const BENCH_NODES = [parseNodeName('node1'), parseNodeName('node2')];

/** Resolves when both nodes are registered and their first inventory has arrived. */
export async function startBenchCluster(): Promise<BenchCluster> {
  const log = pino({ level: 'error' }, pino.destination(2));
  installRuntime({ log });
  const server = await startTemporalServer();
  const connected = await connectWorker({ address: server.address, namespace: 'default', nodes: BENCH_NODES }, { log });
  const { connection, namespace, kedge } = connected;
  await kedge.ensureNamespace();
  const stop = new AbortController();
  const control = await createControlWorker({
    connection,
    namespace,
    kedge,
    placement: () => Promise.resolve(NO_PLACEMENT),
    workflows: { workflowBundle: workflowBundle() },
  });
  const running = Promise.all([
    runWorkers([control], stop.signal),
    ...BENCH_NODES.map((node) => runNodeTemporalWorkers(connected, { node, activities: emptyActivities(node), bulkSlots: 2, signal: stop.signal })),
  ]);
  await kedge.ensureAdmission();
  for (const node of BENCH_NODES) await kedge.registerNode({ node, bootId: 'bench' });
  while ((await kedge.listNodes()).some(({ inventory }) => inventory === null)) await sleep(50);
  return {
    address: server.address,
    kedge,
    client: new Client({ connection, namespace }),
    stop: async () => {
      stop.abort();
      await running;
      await connection.close();
      await server.stop();
    },
  };
}
