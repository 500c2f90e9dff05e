import { existsSync } from 'node:fs';
import { storageConfigFile } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import type { GuestKind } from '../../../src/domain/ownership.js';
import type { GuestNotes } from '../../../src/drivers/storage/guest-notes.js';
import { isUsableOn, openStorage } from '../../../src/drivers/storage/open-storage.js';
import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import { parseContainerConfig } from '../../../src/schema/container-config.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { guestNeeds } from '../../../src/schema/guest-needs.js';
import { guestVolumes, type GuestVolume } from '../../../src/schema/guest-config-volumes.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import type { NodeContext } from '../node-context.js';

/** Where a guest's note belongs; or why another node could not start the guest anyway. */
export type NoteHome = { readonly home: StorageDriver } | { readonly home: null; readonly why: string };

/** The shared storages that this node may use; none where no storage is configured at all. @throws KedgeError `bad-config` */
export async function sharedStorages(node: NodeContext): Promise<readonly StorageDriver[]> {
  if (!existsSync(storageConfigFile(node.paths))) return [];
  const config = await readStorageConfig(node);
  return config.storages.filter((storage) => storage.shared && isUsableOn(storage, node.node)).map(({ id }) => openStorage(config, { id, node: node.node }));
}

/**
 * A guest can be started elsewhere if all that it needs to run lies on shared storages, and it has no devices of its node. Its note is on the
 * storage of the first of its disks: on one alone, since there the marker decides between two that would take it.
 * @throws KedgeError `bad-config`
 */
export function noteHome(shared: readonly StorageDriver[], guest: { readonly kind: GuestKind; readonly config: string }): NoteHome {
  const { volumes, devices } = needsOf(guest);
  const [device] = devices;
  if (device !== undefined) return { home: null, why: `it uses ${device} of its node` };
  const local = volumes.find(({ storage, shared: declared }) => !declared && !shared.some(({ id }) => id === storage));
  if (local !== undefined) return { home: null, why: `${local.volume} is on no shared storage` };
  const [first] = volumes.flatMap(({ storage }) => shared.filter(({ id }) => id === storage));
  return first === undefined ? { home: null, why: 'it has no disk on a shared storage' } : { home: first };
}

/** All notes of a guest on this node's shared storages: there is one at most, unless a crash or a hand has left another. */
export async function notesOf(shared: readonly StorageDriver[], vmid: Vmid): Promise<readonly { readonly id: string; readonly notes: GuestNotes }[]> {
  const found = await Promise.all(shared.map(async ({ id, notes }) => ((await notes.list()).includes(vmid) ? [{ id, notes }] : [])));
  return found.flat();
}

/** All volumes that the config of a note names. @throws KedgeError `bad-config` */
export function volumesOf(note: { readonly kind: GuestKind; readonly config: string }): readonly GuestVolume[] {
  const parsed = parse(note);
  return guestVolumes(parsed.kind, parsed.config.text);
}

function needsOf(note: { readonly kind: GuestKind; readonly config: string }): { volumes: readonly GuestVolume[]; devices: readonly string[] } {
  const parsed = parse(note);
  const volumes = volumesOf(note).filter(({ role }) => role !== 'unused');
  const devices = guestNeeds(parsed).devices.filter(({ mapping }) => mapping === null);
  return { volumes, devices: devices.map(({ key }) => key) };
}

function parse({ kind, config }: { readonly kind: GuestKind; readonly config: string }) {
  return kind === 'lxc' ? { kind: 'ct' as const, config: parseContainerConfig(config) } : { kind: 'vm' as const, config: parseGuestConfig(config) };
}
