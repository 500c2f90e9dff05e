import type { SlotNeeds, SlotStorage } from './admission-use.js';
import { readStorageMap, type GuestStorage } from './check-storages.js';
import { mapId } from './id-map.js';
import type { NodeName } from './ids.js';
import type { MigrationKind, MigrationOptions } from './migration.js';
import { slotNetwork } from './slot-network.js';

/** What is known of a migration once it has passed its checks. */
export interface SlotQuestion {
  readonly source: NodeName;
  readonly target: NodeName;
  readonly options: Pick<MigrationOptions, 'network' | 'targetStorage' | 'bandwidthLimit'>;
  readonly movement: MigrationKind;
  /** Where the guest's disks are. */
  readonly storages: readonly Pick<GuestStorage, 'id' | 'shared'>[];
  /** That are copied unless it moves live. */
  readonly volumes: readonly { readonly storage: string }[];
  /** What its stream may take by the options and the node's files; absent from an older Kedge. */
  readonly streamLimit: number | undefined;
  /** Storages that the target says all nodes share. */
  readonly sharedStorages: readonly string[];
}

/** What a migration takes a part of: both nodes, the network, the storages that its copy is written to, and the shared ones where disks stay. */
export function slotNeeds(question: SlotQuestion): SlotNeeds {
  const { source, target, options } = question;
  const bandwidthLimit = ownLimit(question);
  return {
    nodes: [source, target],
    network: slotNetwork(options.network),
    storages: storagesOf(question),
    ...(bandwidthLimit === 0 ? {} : { bandwidthLimit }),
  };
}

function storagesOf({ target, options, movement, storages, volumes, sharedStorages }: SlotQuestion): readonly SlotStorage[] {
  const staying = storages.filter(({ shared }) => shared).map(({ id }) => id);
  const read = readStorageMap(options.targetStorage);
  const copied = movement === 'live' ? [] : volumes.map(({ storage }) => ('map' in read ? mapId(read.map, storage) : storage));
  return [...new Set([...staying, ...copied])].map((storage) =>
    staying.includes(storage) || sharedStorages.includes(storage) ? { storage } : { storage, node: target },
  );
}

/**
 * In bytes per second, 0 for none. Disks of one guest may have several limits, those of their storages, so only one that was asked for is known to
 * hold for them all.
 */
function ownLimit({ options, movement, streamLimit }: SlotQuestion): number {
  return (movement === 'live' ? streamLimit : null) ?? options.bandwidthLimit ?? 0;
}
