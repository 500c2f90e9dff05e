import { loadDatacenterConfig } from '../../../src/config/load-datacenter-config.js';
import { datacenterConfigFile } from '../../../src/config/paths.js';
import { readStorageMap } from '../../../src/domain/check-storages.js';
import type { CopyLimits } from '../../../src/domain/forecast.js';
import { mapId } from '../../../src/domain/id-map.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { DEFAULT_MAX_DOWNTIME_MS, type MigrationKind, type MigrationOptions } from '../../../src/domain/migration.js';
import type { MovingVolume } from '../../../src/domain/moving-volume.js';
import { readStreamLimits } from '../handover/stream-limits.js';
import type { NodeContext } from '../node-context.js';
import { volumeLimit } from '../offline/volume-limit.js';

export interface CopyToLimit {
  readonly vmid: Vmid;
  readonly movement: MigrationKind | null;
  readonly volumes: readonly MovingVolume[];
  readonly options: MigrationOptions;
}

/**
 * What the copy may take: of several disks, the least limit. A limit that can't be read is told now, while nothing is touched, and not
 * when the copy begins.
 * @throws KedgeError `bad-config` with line and column
 */
export async function readCopyLimits(node: NodeContext, { vmid, movement, volumes, options }: CopyToLimit): Promise<CopyLimits> {
  if (movement === 'live') return readStreamLimits(node, vmid, options);
  await loadDatacenterConfig(datacenterConfigFile(node.paths));
  const read = readStorageMap(options.targetStorage);
  const targetOf = ({ volumeId, storage }: MovingVolume): string =>
    `${'map' in read ? mapId(read.map, storage) : storage}:${volumeId.slice(storage.length + 1)}`;
  const limits = await Promise.all(volumes.map((volume) => volumeLimit(node, { from: volume.volumeId, to: targetOf(volume) }, options)));
  const set = limits.filter((limit) => limit > 0);
  return { bandwidthLimit: set.length === 0 ? 0 : Math.min(...set), maxDowntimeMs: options.maxDowntimeMs ?? DEFAULT_MAX_DOWNTIME_MS };
}
