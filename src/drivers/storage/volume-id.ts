import { KedgeError } from '../../domain/kedge-error.js';

export const VOLUME_FORMATS = ['raw', 'qcow2'] as const;
export type VolumeFormat = (typeof VOLUME_FORMATS)[number];

/** A disk image of a guest: `<storage>:<vmid>/vm-<vmid>-disk-<N>.<format>`. */
export interface VolumeId {
  readonly storage: string;
  readonly vmid: number;
  /** Name of the file or volume, e.g. `vm-101-disk-0.raw`. */
  readonly name: string;
  readonly format: VolumeFormat;
}

/**
 * Parses a volume id. The grammar is strict because the name becomes a path and an argument of programs: no `..`, no
 * absolute path, no leading hyphen, no other guest's folder.
 * @throws KedgeError `bad-input` that names the value
 */
export function parseVolumeId(text: string): VolumeId {
  const match = /^([A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]):([1-9][0-9]{2,8})\/(vm-([1-9][0-9]{2,8})-[A-Za-z0-9][A-Za-z0-9_-]*\.(raw|qcow2))$/.exec(text);
  const [, storage, folder, name, owner] = match ?? [];
  const format = VOLUME_FORMATS.find((candidate) => candidate === match?.[5]);
  if (storage === undefined || name === undefined || format === undefined || folder !== owner) {
    throw new KedgeError('bad-input', `Cannot read volume id: current value is "${text}", must be like local:101/vm-101-disk-0.raw`);
  }
  return { storage, vmid: Number(owner), name, format };
}

/** Prints a volume id as configs hold it. */
export function printVolumeId(volume: Pick<VolumeId, 'storage' | 'vmid' | 'name'>): string {
  return `${volume.storage}:${volume.vmid}/${volume.name}`;
}

/** The name of disk `index` of a guest. */
export function diskName(vmid: number, disk: { readonly index: number; readonly format: VolumeFormat }): string {
  return `vm-${vmid}-disk-${disk.index}.${disk.format}`;
}
