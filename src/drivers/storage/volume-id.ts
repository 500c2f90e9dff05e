import { KedgeError } from '../../domain/kedge-error.js';

/** What QEMU reads and writes. */
export const IMAGE_FORMATS = ['raw', 'qcow2'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** `subvol` is a folder that holds the root file system, or another mount point, of a container. */
export const VOLUME_FORMATS = [...IMAGE_FORMATS, 'subvol'] as const;
export type VolumeFormat = (typeof VOLUME_FORMATS)[number];

/**
 * What a volume is for, by its name: `disk`, also EFI variables and TPM state; `base`, the disk of a template; `cloudinit`;
 * `state`, the RAM of a snapshot; `other`, a name that somebody chose.
 */
export type VolumeKind = 'disk' | 'base' | 'cloudinit' | 'state' | 'other';

/** A volume of a guest as configs name it: `<storage>:[<vmid>/<base>/]<vmid>/<name>`. */
export interface VolumeId {
  readonly storage: string;
  readonly vmid: number;
  /** Name of the file, folder or volume, e.g. `vm-101-disk-0.raw`. */
  readonly name: string;
  readonly format: VolumeFormat;
  readonly kind: VolumeKind;
  /** The template's disk that a linked clone needs; null for a volume that stands alone. */
  readonly base: { readonly vmid: number; readonly name: string } | null;
}

const STORAGE = '[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]';
const VMID = '[1-9][0-9]{2,8}';
const VOLUME = new RegExp(`^(${STORAGE}):(?:(${VMID})/([^/:]+)/)?(${VMID})/([^/:]+)$`);
const NAME = new RegExp(`^(vm|base|subvol)-(${VMID})-([A-Za-z0-9][A-Za-z0-9_-]*)\\.(raw|qcow2|subvol)$`);

/**
 * Parses a volume id. The grammar is strict because the name becomes a path and an argument of programs: no `..`, no
 * absolute path, no leading hyphen, no other guest's folder.
 * @throws KedgeError `bad-input` that names the value
 */
export function parseVolumeId(text: string): VolumeId {
  const [, storage, baseFolder, baseName, folder, name = ''] = VOLUME.exec(text) ?? [];
  const volume = parseVolumeName(name);
  const base = baseName === undefined ? null : parseVolumeName(baseName);
  const badBase = baseName !== undefined && (base === null || base.format === 'subvol' || String(base.vmid) !== baseFolder);
  if (storage === undefined || volume === null || String(volume.vmid) !== folder || badBase) {
    throw new KedgeError('bad-input', `Cannot read volume id: current value is "${text}", must be like local:101/vm-101-disk-0.raw`);
  }
  return { storage, ...volume, base: base === null ? null : { vmid: base.vmid, name: base.name } };
}

/** Parses the name of a volume alone, as it stands in the folder of its guest; null when it is none. */
export function parseVolumeName(name: string): Pick<VolumeId, 'vmid' | 'name' | 'format' | 'kind'> | null {
  const [, prefix, owner, rest = '', suffix] = NAME.exec(name) ?? [];
  const format = VOLUME_FORMATS.find((candidate) => candidate === suffix);
  if (format === undefined || (prefix === 'subvol') !== (format === 'subvol')) return null;
  return { vmid: Number(owner), name, format, kind: prefix === 'base' ? 'base' : kindOf(rest) };
}

/** Prints a volume id as configs hold it. */
export function printVolumeId(volume: Pick<VolumeId, 'storage' | 'vmid' | 'name'> & { readonly base?: VolumeId['base'] }): string {
  const base = volume.base ?? null;
  return `${volume.storage}:${base === null ? '' : `${base.vmid}/${base.name}/`}${volume.vmid}/${volume.name}`;
}

/** The name of disk `index` of a guest. */
export function diskName(vmid: number, disk: { readonly index: number; readonly format: VolumeFormat }): string {
  return `${disk.format === 'subvol' ? 'subvol' : 'vm'}-${vmid}-disk-${disk.index}.${disk.format}`;
}

/** The number in a name of the form `…-disk-<N>.<format>`; null for other names. */
export function diskNumber(name: string): number | null {
  const number = /-disk-([0-9]+)\./.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

function kindOf(rest: string): VolumeKind {
  if (/^disk-[0-9]+$/.test(rest)) return 'disk';
  if (rest === 'cloudinit') return 'cloudinit';
  return rest.startsWith('state-') ? 'state' : 'other';
}
