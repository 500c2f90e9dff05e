import { KedgeError } from '../../domain/kedge-error.js';

/** A folder as a container's file system: `<storage>:<vmid>/subvol-<vmid>-disk-<N>.subvol`, PVE's name on storages of files. */
export interface TreeVolumeId {
  readonly storage: string;
  readonly vmid: number;
  /** Name of the folder, e.g. `subvol-101-disk-0.subvol`. */
  readonly name: string;
}

/**
 * Parses the id of a folder volume; as strict as `parseVolumeId`, for the same reasons.
 * @throws KedgeError `bad-input` that names the value; `unsupported` for a disk image, which would have to be mounted
 */
export function parseTreeVolumeId(text: string): TreeVolumeId {
  const match = /^([A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]):([1-9][0-9]{2,8})\/(subvol-([1-9][0-9]{2,8})-disk-\d{1,3}\.subvol)$/.exec(text);
  const [, storage, folder, name, owner] = match ?? [];
  if (storage !== undefined && name !== undefined && folder === owner) return { storage, vmid: Number(owner), name };
  if (/\.(?:raw|qcow2|vmdk)$/.test(text)) {
    throw new KedgeError('unsupported', `Cannot use ${text} for a container: file systems in disk images are not supported, use a folder (size=0)`);
  }
  throw new KedgeError('bad-input', `Cannot read volume id: current value is "${text}", must be like local:101/subvol-101-disk-0.subvol`);
}

/** Prints the id as configs hold it. */
export function printTreeVolumeId({ storage, vmid, name }: TreeVolumeId): string {
  return `${storage}:${vmid}/${name}`;
}
