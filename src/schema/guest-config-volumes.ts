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

interface Reference {
  readonly place: GuestVolume['references'][number];
  readonly found: Omit<GuestVolume, 'references'>;
}

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
  const volumes = new Set(references.map(({ found }) => found.volume));
  return [...volumes].flatMap((name) => {
    const same = references.filter(({ found }) => found.volume === name);
    const first = same.find(({ found }) => !['unused', 'pending', 'snapshot'].includes(found.role)) ?? same[0];
    return first === undefined ? [] : [{ ...first.found, references: same.map(({ place }) => place) }];
  });
}

function referenceOf(
  kind: 'vm' | 'ct',
  { entry, section, isSnapshot }: { readonly entry: ConfigEntry; readonly section: string; readonly isSnapshot: boolean },
): readonly Reference[] {
  const { key, value } = entry;
  const place = { section, key };
  const defaults = { shared: false, backup: null, replicate: true, sizeBytes: null, format: null };
  if (kind === 'vm' && key === 'vmstate') return [{ place, found: { ...defaults, volume: value, storage: storageOf(value), role: 'vmstate' } }];
  if (!(kind === 'vm' ? DRIVE : MOUNT).test(key)) return [];
  const options = readProperties(kind, value);
  const volume = options?.get(kind === 'vm' ? 'file' : 'volume');
  if (options === undefined || volume === undefined || (kind === 'vm' && volume === 'none')) return [];
  const own = kind === 'vm' ? driveRole(key, { volume, options }) : mountRole(key);
  const size = options.get('size');
  const found = {
    volume,
    storage: storageOf(volume),
    role: section === '' || own === 'cdrom' || own === 'cloudinit' ? own : isSnapshot ? 'snapshot' : 'pending',
    shared: flag(options, 'shared') ?? false,
    backup: flag(options, 'backup') ?? null,
    replicate: flag(options, 'replicate') ?? true,
    sizeBytes: size === undefined ? null : (parsePveSize(size) ?? null),
    format: options.get('format') ?? null,
  } as const;
  return [{ place, found }];
}

function driveRole(key: string, { volume, options }: { volume: string; options: PropertyString }): VolumeRole {
  if (key.startsWith('unused')) return 'unused';
  if (key === 'efidisk0') return 'efi';
  if (key === 'tpmstate0') return 'tpm';
  if (CLOUD_INIT.test(volume)) return 'cloudinit';
  return options.get('media') === 'cdrom' ? 'cdrom' : 'disk';
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

function flag(options: PropertyString, name: string): boolean | undefined {
  const text = options.get(name);
  return text === undefined ? undefined : parsePveBoolean(text);
}
