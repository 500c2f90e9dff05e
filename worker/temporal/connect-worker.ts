import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createKedgeClient, type KedgeClient } from '../../src/client/kedge-client.js';
import { retryConnect } from '../../src/client/retry-connect.js';
import type { NodeName } from '../../src/domain/ids.js';
import type { Logger } from '../../src/log/logger.js';

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

/** Connects, waiting for a server that is not there yet for as long as it takes, or until `signal` aborts. */
export async function connectWorker(settings: TemporalSettings, options: { readonly log: Logger; readonly signal?: AbortSignal }): Promise<WorkerConnection> {
  const { address, namespace, nodes } = settings;
  const connection = await retryConnect(() => NativeConnection.connect({ address }), {
    address,
    giveUpAfterMs: Infinity,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onRetry: (error, pauseMs) => options.log.warn({ error, address, pauseMs }, 'Temporal server not reachable, trying again'),
  });
  const kedge = createKedgeClient({ client: new Client({ connection, namespace }), nodes, close: () => connection.close() });
  return { connection, namespace, kedge };
}
