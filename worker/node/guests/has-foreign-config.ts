import type { Vmid } from '../../../src/domain/ids.js';
import type { NodeContext } from '../node-context.js';

/**
 * Is there a config of a guest without any record? It is none of Kedge's, which writes the record of an incoming guest first and removes
 * the config first: a preparation would replace it, the roll-back remove it.
 */
export async function hasForeignConfig(node: NodeContext, vmid: Vmid): Promise<boolean> {
  return (await node.records.read(vmid)).kind === 'missing' && (await node.guestConfigs.list()).includes(vmid);
}
