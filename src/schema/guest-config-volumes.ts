import type { ConfigEntry, ConfigText } from './guest-config-text.js';
import { parsePropertyString, parsePveBoolean, parsePveSize, PropertyStringError, type PropertyString } from './property-string.js';

/** What a volume is for the guest. `snapshot`: only snapshots refer to it; `pending`: only a change that waits for a restart. */
export type VolumeRole = 'disk' | 'efi' | 'tpm' | 'cloudinit' | 'cdrom' | 'rootfs' | 'mount' | 'unused' | 'pending' | 'snapshot' | 'vmstate';

/** A volume that a config refers to, once, however often it does. */
export interface GuestVolume {
  /** `<storage>:<volname>`; or an absolute path; or `cdrom`, the CD-ROM drive of the node. */
  readonly volume: string;
  /** null: it lies on no storage. */
  readonly storage: string | null;
  readonly role: VolumeRole;
  /** Where the config names it; section '' is the main one, `PENDING` or `pve:pending` the changes, any other a snapshot. */
  readonly references: readonly { readonly section: string; readonly key: string }[];
  /** The operator's word that all nodes have it. */
  readonly shared: boolean;
  /** null: the default, which for a mount point is no and else yes. */
  readonly backup: boolean | null;
  readonly replicate: boolean;
  /** As the config has it, which may be wrong; null: it doesn't say. */
  readonly sizeBytes: number | null;
  /** The format that the config names; null: the volume's own. */
  readonly format: string | null;
}

type Reference = Omit<GuestVolume, 'references'> & { readonly section: string; readonly key: string };

const DRIVE = /^(?:ide[0-3]|sata[0-5]|scsi\d+|virtio\d+|cdrom|efidisk0|tpmstate0|unused\d+)$/;
const MOUNT = /^(?:rootfs|(?:mp|unused)\d+)$/;
const CLOUD_INIT = /[:/](?:vm-\d+-)?cloudinit(?:\.(?:raw|qcow2?|qed|vmdk|cloop))?$/;

/**
 * All volumes of a guest, from every section, in the order in which the config names them first. An empty drive (`none`) is none.
 * A value that can't be read names no volume: `checkGuestConfig` tells of it.
 */
export function guestVolumes(kind: 'vm' | 'ct', text: ConfigText): readonly GuestVolume[] {
  const references = [
    ...text.entries.flatMap((entry) => referenceOf(kind, { entry, section: '', isSnapshot: false })),
    ...text.sections.flatMap((section) =>
      section.entries.flatMap((entry) => referenceOf(kind, { entry, section: section.name, isSnapshot: section.kind === 'snapshot' })),
    ),
  ];
  const volumes = new Set(references.map(({ volume }) => volume));
  return [...volumes].flatMap((name) => {
    const same = references.filter(({ volume }) => volume === name);
    const first = same.find(isMoreThanUnused) ?? same[0];
    if (first === undefined) return [];
    const { section: _section, key: _key, ...volume } = first;
    return [{ ...volume, references: same.map(({ section, key }) => ({ section, key })) }];
  });
}

function isMoreThanUnused({ role }: Reference): boolean {
  return role !== 'unused' && role !== 'pending' && role !== 'snapshot';
}

function referenceOf(
  kind: 'vm' | 'ct',
  { entry, section, isSnapshot }: { readonly entry: ConfigEntry; readonly section: string; readonly isSnapshot: boolean },
): readonly Reference[] {
  const { key, value } = entry;
  const defaults = { section, key, shared: false, backup: null, replicate: true, sizeBytes: null, format: null };
  if (kind === 'vm' && key === 'vmstate') return [{ ...defaults, volume: value, storage: storageOf(value), role: 'vmstate' }];
  if (!(kind === 'vm' ? DRIVE : MOUNT).test(key)) return [];
  const found = readProperties(kind, value);
  const volume = found?.get(kind === 'vm' ? 'file' : 'volume');
  if (found === undefined || volume === undefined || (kind === 'vm' && volume === 'none')) return [];
  const own = kind === 'vm' ? driveRole(key, { volume, found }) : mountRole(key);
  const size = found.get('size');
  return [
    {
      ...defaults,
      volume,
      storage: storageOf(volume),
      role: section === '' || own === 'cdrom' || own === 'cloudinit' ? own : isSnapshot ? 'snapshot' : 'pending',
      shared: flag(found, 'shared') ?? false,
      backup: flag(found, 'backup') ?? null,
      replicate: flag(found, 'replicate') ?? true,
      sizeBytes: size === undefined ? null : (parsePveSize(size) ?? null),
      format: found.get('format') ?? null,
    },
  ];
}

function driveRole(key: string, { volume, found }: { volume: string; found: PropertyString }): VolumeRole {
  if (key.startsWith('unused')) return 'unused';
  if (key === 'efidisk0') return 'efi';
  if (key === 'tpmstate0') return 'tpm';
  if (CLOUD_INIT.test(volume)) return 'cloudinit';
  return found.get('media') === 'cdrom' ? 'cdrom' : 'disk';
}

function mountRole(key: string): VolumeRole {
  return key === 'rootfs' ? 'rootfs' : key.startsWith('unused') ? 'unused' : 'mount';
}

function readProperties(kind: 'vm' | 'ct', value: string): PropertyString | undefined {
  try {
    return parsePropertyString(value, kind === 'vm' ? { defaultKey: 'file', aliases: { volume: 'file' } } : { defaultKey: 'volume' });
  } catch (error) {
    if (error instanceof PropertyStringError) return undefined;
    throw error;
  }
}

function storageOf(volume: string): string | null {
  return /^([A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]):./.exec(volume)?.[1] ?? null;
}

function flag(found: PropertyString, name: string): boolean | undefined {
  const text = found.get(name);
  return text === undefined ? undefined : parsePveBoolean(text);
}
