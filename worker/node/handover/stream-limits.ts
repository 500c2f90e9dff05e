import { loadDatacenterConfig } from '../../../src/config/load-datacenter-config.js';
import { datacenterConfigFile } from '../../../src/config/paths.js';
import { ramBandwidthLimit, resolveBandwidthLimit, withinShare } from '../../../src/domain/bandwidth-limit.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { DEFAULT_MAX_DOWNTIME_MS, type CopyOptions } from '../../../src/domain/migration.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { readMigrationLimits } from '../../../src/schema/guest-config-migration.js';
import type { NodeContext } from '../node-context.js';

/** What the RAM stream of one migration may take. */
export interface StreamLimits {
  /** Bytes per second; never 0. */
  readonly bandwidthLimit: number;
  /** Longest blackout that a switchover may be started for; milliseconds. */
  readonly maxDowntimeMs: number;
}

const KIB = 1024;

/**
 * What was asked for, else what datacenter.cfg and the guest's config say; `migrate_speed` of the config always holds. Storages have no
 * say in RAM, as in PVE. Never more than the share that admission has granted.
 * @throws KedgeError `bad-config` with line and column, `not-found` without a guest config
 */
export async function readStreamLimits(
  node: NodeContext,
  vmid: Vmid,
  options: Pick<CopyOptions, 'bandwidthLimit' | 'maxDowntimeMs' | 'bandwidthShare'>,
): Promise<StreamLimits> {
  const [text, datacenter] = await Promise.all([node.guestConfigs.read(vmid), loadDatacenterConfig(datacenterConfigFile(node.paths))]);
  const ofGuest = readMigrationLimits(parseGuestConfig(text));
  const bwlimitKiB = resolveBandwidthLimit({
    operation: 'migration',
    ...(options.bandwidthLimit === null ? {} : { override: options.bandwidthLimit / KIB }),
    storages: [],
    ...(datacenter.bandwidthLimits === null ? {} : { datacenter: datacenter.bandwidthLimits }),
  });
  return {
    bandwidthLimit: withinShare(
      Math.max(1, Math.round(ramBandwidthLimit({ bwlimitKiB, migrateSpeedMB: ofGuest.migrateSpeedMB }) * KIB)),
      options.bandwidthShare,
    ),
    maxDowntimeMs: options.maxDowntimeMs ?? ofGuest.maxDowntimeMs ?? DEFAULT_MAX_DOWNTIME_MS,
  };
}
