import type { CheckId, Finding } from './checks.js';
import { formatBytes } from './format-bytes.js';
import { mapId, parseIdMap, type IdMap } from './id-map.js';
import { KedgeError } from './kedge-error.js';
import type { MovingVolume } from './moving-volume.js';
import type { NodeInventory } from './node-facts.js';

/** File systems need metadata for what they hold. */
const METADATA_SHARE = 1 / 128;

/** Can the target take the copies of these volumes? Pure: the storage map, its storages, their space. */
export function checkCopies(volumes: readonly MovingVolume[], { target, targetStorage }: { target: NodeInventory; targetStorage: string }): readonly Finding[] {
  let map: IdMap;
  try {
    map = parseIdMap('storage', targetStorage);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return [blocker('storage-map', error.message, 'Correct --targetstorage: "1", a storage of the target, or "source:target" pairs')];
  }
  const needed = new Map<string, number>();
  for (const { storage, allocatedBytes } of volumes) {
    const id = mapId(map, storage);
    needed.set(id, (needed.get(id) ?? 0) + Math.ceil(allocatedBytes * (1 + METADATA_SHARE)));
  }
  return [...needed].flatMap(([id, bytes]) => checkStorage(target, { id, bytes }));
}

function checkStorage(target: NodeInventory, { id, bytes }: { id: string; bytes: number }): readonly Finding[] {
  const storage = target.storages.find((candidate) => candidate.id === id);
  if (storage === undefined || !storage.enabled) {
    return [
      blocker(
        'storage-missing',
        `Node ${target.node} has no storage ${id}, which shall receive disks of the guest`,
        `Define and enable the storage ${id} on ${target.node}, or name another one with --targetstorage`,
      ),
    ];
  }
  if (storage.freeBytes >= bytes) return [];
  return [
    blocker(
      'space-short',
      `Storage ${id} on ${target.node} has ${formatBytes(storage.freeBytes)} free, the guest's disks take ${formatBytes(bytes)}`,
      `Free space on ${id}, or name another storage with --targetstorage`,
    ),
  ];
}

function blocker(id: CheckId, text: string, remedy: string): Finding {
  return { id, severity: 'blocker', text, remedy };
}
