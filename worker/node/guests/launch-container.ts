import { lxcFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { startContainer } from '../../../src/drivers/lxc/start-container.js';
import type { NodeContext } from '../node-context.js';
import { storageOf } from '../offline/storage-of.js';
import { containerStart, parseContainerConfig } from './container-start.js';

/**
 * Starts a container from its config and its folders on this node. The caller holds the guest's lock and a record that allows it, and has
 * seen that no process of it is there.
 * @throws KedgeError `lxc-start-failed`, `not-found`, `bad-config`, `unsupported`, `guest-state` when a process of it is there after all
 */
export async function launchContainer(node: NodeContext, vmid: Vmid): Promise<void> {
  const config = parseContainerConfig(await node.guestConfigs.read(vmid, 'lxc'));
  const folders = new Map<string, string>();
  for (const { volumeId } of config.volumes) {
    const { path, format } = (await storageOf(node, volumeId)).path(volumeId);
    if (format !== 'subvol')
      throw new KedgeError('unsupported', `Cannot use ${volumeId} for a container: file systems in disk images are not supported, use a folder (size=0)`);
    folders.set(volumeId, path);
  }
  await startContainer(
    containerStart(vmid, config, (volumeId) => folders.get(volumeId) ?? ''),
    { lxcPath: lxcFolder(node.paths) },
  );
}
