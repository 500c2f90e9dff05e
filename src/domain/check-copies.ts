import { readStorageMap } from './check-storages.js';
import { about, finding, type Finding } from './checks.js';
import { formatBytes } from './format-bytes.js';
import { mapId } from './id-map.js';
import type { MovingVolume } from './moving-volume.js';
import type { NodeInventory } from './node-facts.js';

/** File systems need metadata for what they hold. */
const METADATA_SHARE = 1 / 128;

export interface CopyTarget {
  readonly target: NodeInventory;
  /** Storage map in PVE's grammar. */
  readonly targetStorage: string;
  /** Volumes of this guest's number that the target has already; absent from an older Kedge. */
  readonly taken?: readonly string[];
}

/** Can the target take the copies of these volumes? Pure: the storage map, its storages, their space and content, names that are taken. */
export function checkCopies(volumes: readonly MovingVolume[], { target, targetStorage, taken = [] }: CopyTarget): readonly Finding[] {
  const read = readStorageMap(targetStorage);
  if ('refusal' in read) return [read.refusal];
  const ids = [...new Set(volumes.map(({ storage }) => mapId(read.map, storage)))];
  return ids.flatMap((id) => {
    const moving = volumes.filter(({ storage }) => mapId(read.map, storage) === id);
    return [...checkStorage(target, { id, moving }), ...checkNames(moving, { id, taken })];
  });
}

function checkStorage(target: NodeInventory, { id, moving }: { id: string; moving: readonly MovingVolume[] }): readonly Finding[] {
  const storage = target.storages.find((candidate) => candidate.id === id);
  if (storage === undefined || !storage.enabled) {
    return [
      about(
        { storage: id, node: target.node },
        finding(
          'storage-missing',
          `Node ${target.node} has no ${storage === undefined ? '' : 'enabled '}storage ${id}, which shall receive disks of the guest`,
          `Define and enable the storage ${id} on ${target.node}, or name another one with --targetstorage`,
        ),
      ),
    ];
  }
  const { content, freeBytes } = storage;
  const wanted = new Map(moving.map(({ volumeId, format }) => [format === 'subvol' ? 'rootdir' : 'images', volumeId]));
  const refused = content === undefined ? [] : [...wanted].filter(([type]) => !content.includes(type));
  return [
    ...refused.map(([type, volume]) =>
      about(
        { storage: id, volume, detail: type },
        finding(
          'storage-content',
          `Storage ${id} on ${target.node} takes no ${type}, only ${content?.join(', ') ?? ''}`,
          `Add ${type} to the content of ${id}, or name another storage with --targetstorage`,
        ),
      ),
    ),
    ...checkSpace(moving, { id, node: target.node, freeBytes }),
  ];
}

/** Copies are as sparse as their originals: what is allocated has to fit now, the full size only once the guest has written it. */
function checkSpace(moving: readonly MovingVolume[], { id, node, freeBytes }: { id: string; node: string; freeBytes: number }): readonly Finding[] {
  const allocated = sum(moving.map(({ allocatedBytes }) => Math.ceil(allocatedBytes * (1 + METADATA_SHARE))));
  const full = sum(moving.map(({ virtualBytes, allocatedBytes }) => Math.max(virtualBytes, allocatedBytes)));
  if (freeBytes < allocated) {
    return [
      finding(
        'space-short',
        `Storage ${id} on ${node} has ${formatBytes(freeBytes)} free, the guest's disks take ${formatBytes(allocated)}`,
        `Free space on ${id}, or name another storage with --targetstorage`,
      ),
    ];
  }
  if (freeBytes >= full) return [];
  return [finding('space-overcommitted', `Storage ${id} on ${node} has ${formatBytes(freeBytes)} free, the guest's disks may grow to ${formatBytes(full)}`)];
}

/** A disk is renamed where its name is taken, as in PVE; a name without a number means what it says and is not. */
function checkNames(moving: readonly MovingVolume[], { id, taken }: { id: string; taken: readonly string[] }): readonly Finding[] {
  return moving.flatMap(({ volumeId }) => {
    const there = `${id}:${volumeId.slice(volumeId.indexOf(':') + 1)}`;
    if (!taken.includes(there)) return [];
    if (/-disk-\d+\.\w+$/.test(there)) return [finding('volume-renamed', `${there} exists on the target: the copy of ${volumeId} gets the next free number`)];
    return [finding('volume-exists', `${there} exists on the target, and is not overwritten`)];
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
