import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createKedgeClient, type KedgeClient } from '../../src/client/kedge-client.js';
import { retryConnect } from '../../src/client/retry-connect.js';
import type { NodeName } from '../../src/domain/ids.js';
import type { Logger } from '../../src/log/logger.js';

const END_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export interface TemporalSettings {
  /** `<host>:<port>` of the Temporal server. */
  readonly address: string;
  readonly namespace: string;
  /** Names of the cluster's nodes. */
  readonly nodes: readonly NodeName[];
}

/** One connection of a worker process, and the cluster's verbs over the same connection. */
export interface WorkerConnection {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly kedge: KedgeClient;
}

/**
 * Connects, waiting for a server that is not there yet for as long as it takes, or until `signal` aborts or the process is told to
 * end: the SDK's runtime takes SIGTERM, and without a worker to shut down it does nothing with it.
 * @throws KedgeError `server-unreachable` when it was ended first
 */
export async function connectWorker(settings: TemporalSettings, options: { readonly log: Logger; readonly signal?: AbortSignal }): Promise<WorkerConnection> {
  const { address, namespace } = settings;
  const told = new AbortController();
  const end = (): void => told.abort();
  for (const name of END_SIGNALS) process.once(name, end);
  try {
    const connection = await retryConnect(() => NativeConnection.connect({ address }), {
      address,
      giveUpAfterMs: Infinity,
      signal: options.signal === undefined ? told.signal : AbortSignal.any([told.signal, options.signal]),
      onRetry: (error, pauseMs) =>
        options.log.warn({ reason: error instanceof Error ? error.message : String(error), address, pauseMs }, 'Temporal server not reachable, trying again'),
    });
    return { connection, namespace, kedge: kedgeOver(connection, settings) };
  } finally {
    for (const name of END_SIGNALS) process.off(name, end);
  }
}

function kedgeOver(connection: NativeConnection, { namespace, nodes }: TemporalSettings): KedgeClient {
  return createKedgeClient({ client: new Client({ connection, namespace }), nodes, close: () => connection.close() });
}
