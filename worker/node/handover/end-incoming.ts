import type { Vmid } from '../../../src/domain/ids.js';
import { isSabotaged } from '../../../src/drivers/host/sabotage.js';
import { killGuestCopy } from '../guests/end-guest.js';
import type { NodeContext } from '../node-context.js';
import { endCopy } from '../offline/end-copy.js';

/**
 * Removes everything that the preparation of a migration left on the target: process, devices, sockets, config copy, stage, volumes.
 * The caller holds the guest's lock and has written a record that forbids this copy to run. "Never happened" is fine.
 */
export async function endIncoming(node: NodeContext, vmid: Vmid): Promise<void> {
  if (isSabotaged('skip-undo')) return;
  node.leases.end(vmid);
  await node.stages.drop(vmid);
  await killGuestCopy(node, vmid);
  await endCopy(node, vmid);
  await node.dueStarts.end(vmid);
  await node.guestConfigs.remove(vmid);
}
