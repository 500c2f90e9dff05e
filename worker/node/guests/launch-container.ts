import { lxcFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { startContainer } from '../../../src/drivers/lxc/start-container.js';
import { parseTreeVolumeId } from '../../../src/drivers/storage/tree-volume-id.js';
import { openTrees, type TreeStorage } from '../../../src/drivers/storage/tree-storage.js';
import type { NodeContext } from '../node-context.js';
import { containerStart, parseContainerConfig } from './container-start.js';
import { readStorageConfig } from './launch-guest.js';

/**
 * Starts a container from its config and its folders on this node. The caller holds the guest's lock and a record that allows it, and has
 * seen that no process of it is there.
 * @throws KedgeError `lxc-start-failed`, `not-found`, `bad-config`, `unsupported`, `guest-state` when a process of it is there after all
 */
export async function launchContainer(node: NodeContext, vmid: Vmid): Promise<void> {
  const config = parseContainerConfig(await node.guestConfigs.read(vmid, 'lxc'));
  const treesOf = await treeStorages(node);
  const start = containerStart(vmid, config, (volumeId) => treesOf(volumeId).path(volumeId));
  await startContainer(start, { lxcPath: lxcFolder(node.paths) });
}

/** Finds the storage of a folder volume on this node. @throws KedgeError `not-found`, `unsupported`, `bad-input` */
export async function treeStorages(node: NodeContext): Promise<(volumeId: string) => TreeStorage> {
  const storages = await readStorageConfig(node);
  return (volumeId) => openTrees(storages, { id: parseTreeVolumeId(volumeId).storage, node: node.node });
}
