import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { parseTreeVolumeId } from '../../../src/drivers/storage/tree-volume-id.js';
import type { NodeContext } from '../node-context.js';
import { parseContainerConfig, rootOwner } from './container-start.js';
import { treeStorages } from './launch-container.js';

/** Makes the folders that a new container's config names, empty and owned by its root; one that exists is kept. */
export async function createContainerVolumes(node: NodeContext, vmid: Vmid, text: string): Promise<void> {
  const config = parseContainerConfig(text);
  const treesOf = await treeStorages(node);
  for (const { key, volumeId } of config.volumes) {
    if (parseTreeVolumeId(volumeId).vmid !== vmid)
      throw new KedgeError('bad-config', `Cannot create ${key} of container ${vmid}: "${volumeId}" is another guest's, name it subvol-${vmid}-disk-0.subvol`);
    const trees = treesOf(volumeId);
    if (!(await trees.list(vmid)).includes(volumeId)) await trees.create(volumeId, { owner: rootOwner(config) });
  }
}

/** Removes the folders of a container that is to be no more; those of other guests are not its own. */
export async function removeContainerVolumes(node: NodeContext, vmid: Vmid, text: string): Promise<void> {
  const treesOf = await treeStorages(node);
  for (const { volumeId } of parseContainerConfig(text).volumes) {
    if (parseTreeVolumeId(volumeId).vmid === vmid) await treesOf(volumeId).remove(volumeId);
  }
}
