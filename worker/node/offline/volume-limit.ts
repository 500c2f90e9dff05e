import { loadDatacenterConfig } from '../../../src/config/load-datacenter-config.js';
import { datacenterConfigFile } from '../../../src/config/paths.js';
import { resolveBandwidthLimit } from '../../../src/domain/bandwidth-limit.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import type { CopiedVolume } from '../../../src/domain/moving-volume.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import type { NodeContext } from '../node-context.js';

const KIB = 1024;

/**
 * What the copy of one volume may take, in bytes per second, 0 for no limit: what was asked for, else the least `bwlimit` of its two
 * storages, else that of datacenter.cfg. The target's storage is looked up in this node's storage.cfg, which all nodes share.
 * @throws KedgeError `bad-config` with line and column
 */
export async function volumeLimit(
  node: NodeContext,
  volume: Pick<CopiedVolume, 'from' | 'to'>,
  { bandwidthLimit }: Pick<MigrationOptions, 'bandwidthLimit'>,
): Promise<number> {
  if (bandwidthLimit !== null) return bandwidthLimit;
  const [{ storages }, datacenter] = await Promise.all([readStorageConfig(node), loadDatacenterConfig(datacenterConfigFile(node.paths))]);
  const ofStorage = (volumeId: string) => storages.find(({ id }) => id === parseVolumeId(volumeId).storage)?.bandwidthLimits ?? undefined;
  const limitKiB = resolveBandwidthLimit({
    operation: 'migration',
    storages: [ofStorage(volume.from), ofStorage(volume.to)],
    ...(datacenter.bandwidthLimits === null ? {} : { datacenter: datacenter.bandwidthLimits }),
  });
  return limitKiB * KIB;
}
