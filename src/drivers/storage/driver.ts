/** The contract of a storage back end. Every driver passes test/src/drivers/storage/contract.ts. */
import type { VolumeFormat } from './volume-id.js';

/** What a back end can do; callers ask for abilities, never for types. */
export interface StorageCapabilities {
  readonly formats: readonly VolumeFormat[];
  /** A new image takes no space before it is written. */
  readonly thin: boolean;
}

export interface VolumeInfo {
  /** `<storage>:<vmid>/<name>`. */
  readonly volumeId: string;
  readonly vmid: number;
  readonly format: VolumeFormat;
  /** Size as the guest sees it. */
  readonly virtualBytes: number;
  readonly allocatedBytes: number;
}

/**
 * One configured storage on this node. Every call that takes a volume id throws KedgeError `bad-input` when it is not
 * one of this storage; all throw `storage-failed` or `no-space` when the storage does.
 */
export interface StorageDriver {
  readonly id: string;
  readonly shared: boolean;
  readonly capabilities: StorageCapabilities;
  /** Path and format for QEMU. The volume need not exist. */
  path(volumeId: string): { readonly path: string; readonly format: VolumeFormat };
  /**
   * Makes an empty image and answers its id; without `index` the first free number is taken.
   * @throws KedgeError `already-exists` when `index` is taken
   */
  allocate(request: { readonly vmid: number; readonly format: VolumeFormat; readonly sizeBytes: number; readonly index?: number }): Promise<string>;
  /** @throws KedgeError `not-found` */
  size(volumeId: string): Promise<{ readonly virtualBytes: number; readonly allocatedBytes: number }>;
  /** Removes an image; one that is gone already is fine. */
  remove(volumeId: string): Promise<void>;
  /** The images of a guest, or of all guests. */
  list(vmid?: number): Promise<readonly VolumeInfo[]>;
  /** The random marker of this storage, made once: two nodes that read the same one really share the storage. */
  identity(): Promise<string>;
  /** Size of the storage. */
  space(): Promise<{ readonly totalBytes: number; readonly freeBytes: number }>;
}
