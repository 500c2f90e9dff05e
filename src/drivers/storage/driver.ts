/** The contract of a storage back end. Every driver passes test/src/drivers/storage/contract.ts. */
import type { GuestNotes } from './guest-notes.js';
import type { IncomingVolumes } from './incoming-volumes.js';
import type { ImageFormat, VolumeFormat, VolumeKind } from './volume-id.js';

/** What a back end can do; callers ask for abilities, never for types. */
export interface StorageCapabilities {
  readonly formats: readonly VolumeFormat[];
  /** A new image takes no space before it is written, and holes take none later. */
  readonly thin: boolean;
  /**
   * How a volume gets out of the storage and into another one. `file`: `path` names a file, or for a `subvol` a folder, that rsync
   * reads, and `incoming` takes the copy. A back end of devices or streams names its own way here when it comes.
   */
  readonly exportBy: 'file';
  /** Formats that hold their snapshots inside, so that a copy of the volume has them too. */
  readonly internalSnapshots: readonly VolumeFormat[];
}

export interface VolumeInfo {
  /** `<storage>:<vmid>/<name>`, without the base of a linked clone, which only the config and the image itself know. */
  readonly volumeId: string;
  readonly vmid: number;
  readonly format: VolumeFormat;
  readonly kind: VolumeKind;
  /** Size as the guest sees it; 0 for a `subvol`, which has no limit. */
  readonly virtualBytes: number;
  readonly allocatedBytes: number;
}

/** Size of a storage. */
export interface StorageSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** How many files may still be made; null when there is no such limit. */
  readonly freeFiles: number | null;
}

/**
 * One configured storage on this node. Every call that takes a volume id throws KedgeError `bad-input` when it is not
 * one of this storage; all throw `storage-failed` or `no-space` when the storage does.
 *
 * A shared storage may be one on which two nodes don't see each other's writes at once (NFS). What a driver has made or removed is
 * synced before it answers, and what it looks at it opens anew.
 */
export interface StorageDriver {
  readonly id: string;
  readonly shared: boolean;
  readonly capabilities: StorageCapabilities;
  /** Path and format. The volume need not exist. */
  path(volumeId: string): { readonly path: string; readonly format: VolumeFormat };
  /** The same for QEMU. @throws KedgeError `bad-input` for a `subvol`, which is no image */
  imagePath(volumeId: string): { readonly path: string; readonly format: ImageFormat };
  /**
   * Makes an empty volume and answers its id; without `index` the first free number is taken. `sizeBytes` is 0 for a `subvol`.
   * @throws KedgeError `already-exists` when `index` is taken
   */
  allocate(request: { readonly vmid: number; readonly format: VolumeFormat; readonly sizeBytes: number; readonly index?: number }): Promise<string>;
  /** @throws KedgeError `not-found` */
  size(volumeId: string): Promise<{ readonly virtualBytes: number; readonly allocatedBytes: number }>;
  /** Removes a volume; one that is gone already is fine. @throws KedgeError `guest-state` something is mounted in it */
  remove(volumeId: string): Promise<void>;
  /** The volumes of a guest, or of all guests; copies that are still coming in are not among them. */
  list(vmid?: number): Promise<readonly VolumeInfo[]>;
  /** Only their ids, without a look at what they hold: of a large tree that takes long, of a broken image it fails. */
  names(vmid?: number): Promise<readonly string[]>;
  /** Copies that come in from another node. */
  readonly incoming: IncomingVolumes;
  /** What lies beside the disks of guests that another node may have to start; used on shared storages. */
  readonly notes: GuestNotes;
  /** The random marker of this storage, made once: two nodes that read the same one really share the storage. */
  identity(): Promise<string>;
  space(): Promise<StorageSpace>;
}
