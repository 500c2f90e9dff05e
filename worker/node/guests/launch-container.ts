import { lxcFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { startContainer } from '../../../src/drivers/lxc/start-container.js';
import { containerVolumes, parseContainerConfig } from '../../../src/schema/container-config.js';
import type { NodeContext } from '../node-context.js';
import { storageOf } from '../offline/storage-of.js';
import { containerStart } from './container-start.js';

/**
 * Starts a container from its config and its folders on this node. The caller holds the guest's lock and a record that allows it, has
 * seen that no process of it is there, and names the crash point.
 * @throws KedgeError `lxc-start-failed`, `not-found`, `bad-config`, `unsupported`, `guest-state` when a process of it is there after all
 */
export async function launchContainer(node: NodeContext, vmid: Vmid): Promise<void> {
  const config = parseContainerConfig(await node.guestConfigs.read(vmid, 'lxc'));
  const folders = new Map<string, string>();
  for (const { volume } of containerVolumes(config)) {
    const { path, format } = (await storageOf(node, volume)).path(volume);
    if (format !== 'subvol')
      throw new KedgeError('unsupported', `Cannot use ${volume} for a container: file systems in disk images are not supported, use a folder (size=0)`);
    folders.set(volume, path);
  }
  const start = containerStart(vmid, config, (volume) => folders.get(volume) ?? '');
  await startContainer(start, { lxcPath: lxcFolder(node.paths) });
}
