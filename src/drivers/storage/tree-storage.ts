import { KedgeError } from '../../domain/kedge-error.js';
import type { StorageConfig } from '../../schema/storage-config.js';
import { dirTrees } from './dir/dir-trees.js';
import { openStorage } from './open-storage.js';

/**
 * The folders that containers have on one configured storage of this node. Every call that takes a volume id throws KedgeError
 * `bad-input` when it is not one of this storage, `unsupported` when it is a disk image; all throw `storage-failed` or `no-space`
 * when the storage does.
 */
export interface TreeStorage {
  readonly id: string;
  /** The folder; it need not exist. */
  path(volumeId: string): string;
  /** Makes an empty folder that belongs to `owner` (user and group): the root of the container's ids. @throws KedgeError `already-exists` */
  create(volumeId: string, options: { readonly owner: number }): Promise<void>;
  /** Removes a folder with all that is in it; one that is gone already is fine. Refused while something is mounted in it. */
  remove(volumeId: string): Promise<void>;
  /** Volume ids of a guest's folders, or of all guests'. */
  list(vmid?: number): Promise<readonly string[]>;
}

/** Opens the folders on a storage of storage.cfg for use on `node`. @throws KedgeError as `openStorage` */
export function openTrees(config: StorageConfig, options: { readonly id: string; readonly node: string }): TreeStorage {
  const { id } = openStorage(config, options);
  const known = config.storages.find((storage) => storage.id === id);
  if (known === undefined) throw new KedgeError('not-found', `Cannot use storage ${id}: storage.cfg does not define it`);
  return dirTrees(known);
}
