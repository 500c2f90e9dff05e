import { connectKedge } from '../client/connect-kedge.js';
import { loadClusterConfig } from '../config/load-cluster-config.js';
import { parseNodeName } from '../domain/ids.js';
import type { Cluster } from './cluster.js';
import { findConfig } from './find-config.js';

/** Reads kedge.yaml and connects to its Temporal server. @throws KedgeError `bad-config`, `server-unreachable` */
export async function openCluster(options: { config?: string }, environment: Readonly<Record<string, string | undefined>>): Promise<Cluster> {
  const { temporal, nodes, migration } = await loadClusterConfig(await findConfig(options, environment));
  const client = await connectKedge({ ...temporal, nodes: Object.keys(nodes).map(parseNodeName) });
  const { type, bandwidthLimit, maxDowntimeMs } = migration;
  return { ...client, migrationDefaults: { type, bandwidthLimit, maxDowntimeMs } };
}
