import { access, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { VolumeLook } from '../../../src/domain/check-volumes.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { MovingVolume } from '../../../src/domain/moving-volume.js';
import { readImageFacts } from '../../../src/drivers/storage/image-facts.js';
import { openStorage } from '../../../src/drivers/storage/open-storage.js';
import { parseVolumeId, type VolumeId } from '../../../src/drivers/storage/volume-id.js';
import { whyNotCopied } from '../../../src/drivers/storage/why-not-copied.js';
import type { ConfigText } from '../../../src/schema/guest-config-text.js';
import { guestVolumes, type GuestVolume } from '../../../src/schema/guest-config-volumes.js';
import type { StorageConfig } from '../../../src/schema/storage-config.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import type { NodeContext } from '../node-context.js';

/** The guest whose volumes are looked at. */
export interface VolumesOf {
  readonly vmid: Vmid;
  readonly kind: 'vm' | 'ct';
  readonly text: ConfigText;
  /** Are local volumes copied? Only then their images are opened, which costs a process each. */
  readonly copied: boolean;
}

/** One volume, and what would be copied of it; null: nothing. */
export interface SeenVolume {
  readonly look: VolumeLook;
  readonly moving: MovingVolume | null;
}

/** Looks at every volume that the config names. Changes nothing; images are only looked at, also while the guest runs. */
export async function lookAtVolumes(node: NodeContext, guest: VolumesOf): Promise<readonly SeenVolume[]> {
  const storages = await readStorageConfig(node);
  return Promise.all(guestVolumes(guest.kind, guest.text).map((volume) => lookAtVolume(node, { ...guest, storages }, volume)));
}

async function lookAtVolume(node: NodeContext, guest: VolumesOf & { storages: StorageConfig }, volume: GuestVolume): Promise<SeenVolume> {
  const id = parseOrNull(volume.volume);
  const look: VolumeLook = {
    volume: volume.volume,
    storage: volume.storage,
    keys: volume.references.map(({ section, key }) => (section === '' ? key : `${section}.${key}`)),
    inSnapshot: volume.references.some(({ section }) => section !== '' && !/^(?:pve:)?pending$/i.test(section)),
    role: volume.role === 'cdrom' || volume.role === 'cloudinit' || volume.role === 'vmstate' ? volume.role : 'other',
    place: placeOf(volume, guest.storages),
    owner: id?.vmid ?? null,
    format: id?.format ?? null,
    path: null,
    foreignType: guest.storages.unknown.find((storage) => storage.id === volume.storage)?.type ?? null,
    unreadable: null,
    obstacles: [],
    clones: [],
  };
  if (look.place === 'none' || look.place === 'declared' || look.foreignType !== null) return { look, moving: null };
  try {
    if (id === null || look.role === 'cdrom' || look.place === 'shared' || !guest.copied)
      return { look: { ...look, path: await findFile(node, guest.storages, { volume, id }) }, moving: null };
    return await lookAtImage(node, guest, { look, id });
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { look: { ...look, unreadable: error.message }, moving: null };
  }
}

/** A volume whose file will be copied. */
async function lookAtImage(
  node: NodeContext,
  guest: VolumesOf & { storages: StorageConfig },
  { look, id }: { look: VolumeLook; id: VolumeId },
): Promise<SeenVolume> {
  const storage = openStorage(guest.storages, { id: id.storage, node: node.node });
  const { virtualBytes, allocatedBytes } = await storage.size(look.volume);
  const { path, format } = storage.path(look.volume);
  const obstacles = format === 'subvol' ? [] : whyNotCopied(look.volume, await readImageFacts(path, format));
  const clones = id.kind === 'base' ? await clonesOf(node, guest.vmid, id) : [];
  return {
    look: { ...look, path: await realpath(path).catch(() => path), obstacles, clones },
    moving: { volumeId: look.volume, storage: id.storage, format: id.format, virtualBytes, allocatedBytes },
  };
}

/** The path of a volume that only has to be there. @throws KedgeError `volume` can't be found */
async function findFile(node: NodeContext, storages: StorageConfig, { volume, id }: { volume: GuestVolume; id: VolumeId | null }): Promise<string | null> {
  const config = storages.storages.find((storage) => storage.id === volume.storage);
  const storage = openStorage(storages, { id: volume.storage ?? '', node: node.node });
  const iso = /^[^:]+:iso\/([^/]+)$/.exec(volume.volume)?.[1];
  const path =
    id !== null
      ? storage.path(volume.volume).path
      : iso !== undefined && config !== undefined
        ? join(config.path, config.contentDirs['iso'] ?? 'template/iso', iso)
        : null;
  if (path === null) return null;
  await access(path).catch((cause: unknown) => {
    throw new KedgeError('not-found', `${path} is not there`, { cause });
  });
  return path;
}

/** Other guests of this node whose disks are linked clones of this one. */
async function clonesOf(node: NodeContext, vmid: Vmid, base: VolumeId): Promise<readonly number[]> {
  const marker = `${base.storage}:${base.vmid}/${base.name}/`;
  const others = (await node.guestConfigs.list()).filter((other) => other !== vmid);
  const texts = await Promise.all(others.map((other) => node.guestConfigs.read(other).catch(() => '')));
  return others.filter((_, at) => texts[at]?.includes(marker) === true);
}

function placeOf({ storage, shared }: GuestVolume, storages: StorageConfig): VolumeLook['place'] {
  if (shared) return 'declared';
  if (storage === null) return 'none';
  return storages.storages.some(({ id, shared: all }) => id === storage && all) ? 'shared' : 'local';
}

function parseOrNull(text: string): VolumeId | null {
  try {
    return parseVolumeId(text);
  } catch {
    return null;
  }
}
