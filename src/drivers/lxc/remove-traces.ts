import { listVeths, removeVeth } from '../host/veth.js';
import { removeEmptyCgroups } from './container-cgroups.js';
import type { ContainerRef } from './container-ref.js';

/**
 * Removes what a container that is off may have left on the node when its monitor was killed: groups without processes and its ends
 * of network devices. Its files stay, to be read.
 */
export async function removeTraces(container: ContainerRef): Promise<void> {
  for (const veth of await listVeths(container.vmid)) await removeVeth(veth.name);
  removeEmptyCgroups(container);
}
