import { loadDatacenterConfig } from '../../../src/config/load-datacenter-config.js';
import { datacenterConfigFile } from '../../../src/config/paths.js';
import { resolveBandwidthLimit, withinShare } from '../../../src/domain/bandwidth-limit.js';
import type { CopyOptions } from '../../../src/domain/migration.js';
import type { CopiedVolume } from '../../../src/domain/moving-volume.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import type { NodeContext } from '../node-context.js';

const KIB = 1024;

/**
 * What the copy of one volume may take, in bytes per second, 0 for no limit: what was asked for, else the least `bwlimit` of its two
 * storages, else that of datacenter.cfg; never more than the share that admission has granted. The target's storage is looked up in this node's storage.cfg, which all nodes share.
 * @throws KedgeError `bad-config` with line and column
 */
export async function volumeLimit(
  node: NodeContext,
  volume: Pick<CopiedVolume, 'from' | 'to'>,
  { bandwidthLimit, bandwidthShare }: Pick<CopyOptions, 'bandwidthLimit' | 'bandwidthShare'>,
): Promise<number> {
  if (bandwidthLimit !== null) return withinShare(bandwidthLimit, bandwidthShare);
  const [{ storages }, datacenter] = await Promise.all([readStorageConfig(node), loadDatacenterConfig(datacenterConfigFile(node.paths))]);
  const ofStorage = (volumeId: string) => storages.find(({ id }) => id === parseVolumeId(volumeId).storage)?.bandwidthLimits ?? undefined;
  const limitKiB = resolveBandwidthLimit({
    operation: 'migration',
    storages: [ofStorage(volume.from), ofStorage(volume.to)],
    ...(datacenter.bandwidthLimits === null ? {} : { datacenter: datacenter.bandwidthLimits }),
  });
  return withinShare(limitKiB * KIB, bandwidthShare);
}
