import { chown } from 'node:fs/promises';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { diskNumber, parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { containerVolumes, parseContainerConfig } from '../../../src/schema/container-config.js';
import type { NodeContext } from '../node-context.js';
import { storageOf } from '../offline/storage-of.js';
import { rootOwner } from './container-start.js';

/** Makes the folders that a new container's config names, empty and owned by its root; one that exists is kept. */
export async function createContainerVolumes(node: NodeContext, vmid: Vmid, text: string): Promise<void> {
  const config = parseContainerConfig(text);
  for (const { key, volume: volumeId } of containerVolumes(config)) {
    const index = folderNumber(volumeId, { vmid, key });
    const storage = await storageOf(node, volumeId);
    const isThere = async (): Promise<boolean> => (await storage.list(vmid)).some((volume) => volume.volumeId === volumeId);
    if (await isThere()) continue;
    await crashPoint('node.create-volume', async () => {
      if (!(await isThere())) await storage.allocate({ vmid, format: 'subvol', sizeBytes: 0, index });
    });
    const owner = rootOwner(config);
    await crashPoint('node.own-volume', () => chown(storage.path(volumeId).path, owner, owner));
  }
}

/** Removes the folders of a container that is to be no more; those of other guests are not its own. */
export async function removeContainerVolumes(node: NodeContext, vmid: Vmid, text: string): Promise<void> {
  for (const { volume } of containerVolumes(parseContainerConfig(text))) {
    if (parseVolumeId(volume).vmid === vmid) await crashPoint('node.remove-volume', async () => (await storageOf(node, volume)).remove(volume));
  }
}

/** @throws KedgeError `bad-config` for a volume that is no folder of this container */
function folderNumber(volumeId: string, { vmid, key }: { vmid: Vmid; key: string }): number {
  const volume = parseVolumeId(volumeId);
  const index = diskNumber(volume.name);
  if (volume.vmid === vmid && volume.format === 'subvol' && index !== null) return index;
  throw new KedgeError(
    'bad-config',
    `Cannot create ${key} of container ${vmid}: "${volumeId}" must be a folder of it like local:${vmid}/subvol-${vmid}-disk-0.subvol`,
  );
}
