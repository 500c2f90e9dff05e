import { lxcFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import type { ContainerRef } from '../../../src/drivers/lxc/container-ref.js';
import type { NodeContext } from '../node-context.js';

/** The container of a guest as LXC on this node knows it. */
export function containerOf(node: NodeContext, vmid: Vmid): ContainerRef {
  return { lxcPath: lxcFolder(node.paths), vmid };
}
