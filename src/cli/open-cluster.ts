import { dirname, join } from 'node:path';
import { connectKedge } from '../client/connect-kedge.js';
import { loadClusterConfig } from '../config/load-cluster-config.js';
import { loadDatacenterConfig } from '../config/load-datacenter-config.js';
import { migrationAddress } from '../config/migration-address.js';
import { parseNodeName } from '../domain/ids.js';
import { placementOf } from '../schema/placement.js';
import { findConfig } from './find-config.js';
import { migrationDefaults } from './migration-defaults.js';
import type { Cluster } from './cluster.js';

/**
 * Reads kedge.yaml, and datacenter.cfg beside it if there is one, and connects to its Temporal server.
 * @throws KedgeError `bad-config`, `server-unreachable`
 */
export async function openCluster(options: { config?: string }, environment: Readonly<Record<string, string | undefined>>): Promise<Cluster> {
  const file = await findConfig(options, environment);
  const [{ temporal, nodes, migration, placement, blackouts }, datacenter] = await Promise.all([
    loadClusterConfig(file),
    loadDatacenterConfig(join(dirname(file), 'datacenter.cfg')),
  ]);
  const client = await connectKedge({ ...temporal, nodes: Object.keys(nodes).map(parseNodeName) });
  return {
    ...client,
    takeSnapshot: () => client.takeSnapshot(placementOf(placement)),
    blackouts,
    migrationDefaults: migrationDefaults(migration, datacenter),
    migrationAddress: (node, network) => migrationAddress(nodes, { node, network }),
  };
}
