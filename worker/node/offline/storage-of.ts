import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import { openStorage } from '../../../src/drivers/storage/open-storage.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import type { NodeContext } from '../node-context.js';

/** The storage on this node that holds, or shall hold, a volume. @throws KedgeError `not-found`, `bad-config`, `bad-input` */
export async function storageOf(node: NodeContext, volumeId: string): Promise<StorageDriver> {
  return openStorage(await readStorageConfig(node), { id: parseVolumeId(volumeId).storage, node: node.node });
}
