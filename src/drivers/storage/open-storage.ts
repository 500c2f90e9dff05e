import { KedgeError } from '../../domain/kedge-error.js';
import type { DirStorageConfig, StorageConfig } from '../../schema/storage-config.js';
import { dirDriver } from './dir/dir-driver.js';
import type { StorageDriver } from './driver.js';

/**
 * Opens a storage of storage.cfg by its id for use on `node`.
 * @throws KedgeError `not-found` unknown here or disabled, `unsupported` for a type without a driver
 */
export function openStorage(config: StorageConfig, options: { readonly id: string; readonly node: string }): StorageDriver {
  const { id, node } = options;
  const known = config.storages.find((storage) => storage.id === id);
  if (known !== undefined && isUsableOn(known, node)) return dirDriver(known);
  const unknown = config.unknown.find((storage) => storage.id === id);
  if (unknown !== undefined) {
    throw new KedgeError('unsupported', `Cannot use storage ${id}: Kedge has no driver for type ${unknown.type}, use type dir`, { details: { id } });
  }
  const reason = known === undefined ? 'storage.cfg does not define it' : known.disabled ? 'it is disabled' : `it is not for node ${node}`;
  throw new KedgeError('not-found', `Cannot use storage ${id}: ${reason}`, { details: { id } });
}

/** Is this storage enabled, and meant for `node`? */
export function isUsableOn(storage: DirStorageConfig, node: string): boolean {
  return !storage.disabled && (storage.nodes?.includes(node) ?? true);
}
