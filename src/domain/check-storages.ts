import { about, finding, type Finding } from './checks.js';
import { mapId, parseIdMap, type IdMap } from './id-map.js';
import { KedgeError } from './kedge-error.js';
import type { NodeInventory } from './node-facts.js';

/** A storage that the guest's volumes lie on, as the source sees it. */
export interface GuestStorage {
  readonly id: string;
  readonly shared: boolean;
  /** Marker that two nodes read from the same shared storage. */
  readonly identity: string | null;
  /** Does the source reach it? Absent from an older Kedge. */
  readonly enabled?: boolean;
  /** Those of the guest that lie on it. Absent from an older Kedge. */
  readonly volumes?: readonly string[];
}

/** Does the target see the same storages as the source? For disks that are not copied. */
export function checkStorages(storages: readonly GuestStorage[], target: NodeInventory): readonly Finding[] {
  return storages.flatMap((storage) => [...checkSourceStorage(storage), ...checkStorage(storage, target)]);
}

/**
 * A guest that runs on keeps its disks where they are: a map that moves one is refused, not forgotten.
 * @returns the map's findings; a map that can't be read is told in PVE's words
 */
export function checkStorageMapOfLive(storages: readonly GuestStorage[], targetStorage: string): readonly Finding[] {
  const map = readStorageMap(targetStorage);
  if ('refusal' in map) return [map.refusal];
  return storages
    .filter(({ id }) => mapId(map.map, id) !== id)
    .map(({ id }) =>
      finding('storage-map', `Storage ${id} can't become ${mapId(map.map, id)} while the guest runs`, 'Use --restart, or leave --targetstorage out'),
    );
}

/** Reads `--targetstorage`. */
export function readStorageMap(text: string): { readonly map: IdMap } | { readonly refusal: Finding } {
  try {
    return { map: parseIdMap('storage', text) };
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { refusal: finding('storage-map', error.message, 'Correct --targetstorage: "1", a storage of the target, or "source:target" pairs') };
  }
}

/** PVE only warns, too: what the guest has open it may still reach. */
function checkSourceStorage({ id, shared, enabled }: GuestStorage): readonly Finding[] {
  return shared && enabled === false ? [finding('storage-offline', `Storage ${id}, which holds disks of the guest, gives no answer on the source`)] : [];
}

function checkStorage({ id, shared, identity, volumes = [] }: GuestStorage, target: NodeInventory): readonly Finding[] {
  const there = target.storages.find((storage) => storage.id === id);
  if (there === undefined || !there.enabled) {
    return [
      about(
        { storage: id, node: target.node },
        finding(
          'storage-missing',
          `Node ${target.node} has no ${there === undefined ? '' : 'enabled '}storage ${id}, which holds disks of the guest`,
          `Define and enable the storage ${id} on ${target.node}`,
        ),
      ),
    ];
  }
  if (!shared || !there.shared) {
    const found = finding(
      'storage-not-shared',
      `Storage ${id} is local: its disks can't follow a live migration`,
      'Allow a shutdown with --restart: the guest is shut down, moved with its disks and started again; or move the disks to a shared storage first',
    );
    return [about({ storage: id, detail: volumes.join(', ') }, found)];
  }
  if (identity === null || identity !== there.identity) {
    return [
      finding(
        'storage-not-shared',
        `Storage ${id} is declared shared, but ${target.node} does not see the same files there`,
        `Check what is mounted at storage ${id} on both nodes`,
      ),
    ];
  }
  return [];
}
