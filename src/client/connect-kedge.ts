import { Client, Connection } from '@temporalio/client';
import type { NodeName } from '../domain/ids.js';
import { createKedgeClient, type KedgeClient } from './kedge-client.js';
import { retryConnect } from './retry-connect.js';

export interface ConnectOptions {
  /** `<host>:<port>` of the Temporal server. */
  readonly address: string;
  readonly namespace: string;
  /** Names of the cluster's nodes, from kedge.yaml. */
  readonly nodes: readonly NodeName[];
  /** How long an unreachable server is tried, in milliseconds; default 5,000. */
  readonly giveUpAfterMs?: number;
  readonly signal?: AbortSignal;
}

/** Connects to the cluster's Temporal server. The caller closes the client. @throws KedgeError `server-unreachable` */
export async function connectKedge(options: ConnectOptions): Promise<KedgeClient> {
  const { address, namespace, nodes, giveUpAfterMs = 5_000, signal } = options;
  // One try has time enough for a server that is busy: only one that answers nothing at all costs more than `giveUpAfterMs`.
  const connection = await retryConnect(() => Connection.connect({ address, connectTimeout: 5_000 }), {
    address,
    giveUpAfterMs,
    ...(signal === undefined ? {} : { signal }),
  });
  return createKedgeClient({ client: new Client({ connection, namespace }), nodes, close: () => connection.close() });
}
