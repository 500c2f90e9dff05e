import type { MigrationOptions } from '../domain/migration.js';
import type { ClusterConfig } from '../schema/cluster-config.js';
import type { DatacenterConfig } from '../schema/datacenter-config.js';

/**
 * The options of a migration that its command line leaves out: those of kedge.yaml, then those of datacenter.cfg. The `bwlimit` of datacenter.cfg
 * is not among them: it gives way to limits of the storages, so the nodes look for it.
 */
export function migrationDefaults(
  { type, bandwidthLimit, maxDowntimeMs }: ClusterConfig['migration'],
  datacenter: DatacenterConfig,
): Partial<MigrationOptions> {
  const transport = type ?? datacenter.migration.type;
  const { network } = datacenter.migration;
  return {
    ...(transport === null ? {} : { type: transport }),
    ...(network === null ? {} : { network }),
    ...(bandwidthLimit === undefined ? {} : { bandwidthLimit }),
    ...(maxDowntimeMs === undefined ? {} : { maxDowntimeMs }),
  };
}
