import type { Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { parseContainerConfig } from '../../../src/schema/container-config.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import type { NodeContext } from '../node-context.js';
import { assertNotTaken } from '../notes/assert-not-taken.js';

/**
 * Called once the cluster has registered this boot: unclaimed records of an earlier boot become permissions again, and
 * guests that shall start with the node are started. Claimed ones stay with their migration.
 */
export async function confirmBoot(node: NodeContext): Promise<void> {
  for (const vmid of await node.records.list()) {
    try {
      await node.locks.withLock(vmid, () => confirmGuest(node, vmid));
    } catch (error) {
      node.log.error({ vmid, error }, 'a guest could not be confirmed for this boot');
    }
  }
}

async function confirmGuest(node: NodeContext, vmid: Vmid): Promise<void> {
  const view = await node.records.read(vmid);
  if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.migrationId !== undefined) return;
  if (view.record.bootId === node.bootId) return;
  await assertNotTaken(node, view.record);
  const text = await node.guestConfigs.read(vmid, view.record.kind);
  const config = view.record.kind === 'lxc' ? parseContainerConfig(text) : parseGuestConfig(text);
  // A guest without onboot stays off, as in PVE; its record says so, so that nobody waits for it. One that a migration had shut down and
  // that was not started since is not off by this reboot.
  const starts = config.onboot || (await node.dueStarts.isDue(view.record));
  const wanted = starts ? view.record.wanted : 'stopped';
  // The mark first: a worker that dies after the record has this boot's id would take the guest for crashed.
  if (wanted !== 'stopped') await node.starts.begin(vmid);
  const confirmed: OwnershipRecord = { ...view.record, wanted, bootId: node.bootId };
  await crashPoint('node.boot-record', () => node.records.write(confirmed));
  await startGuestFromDisk(node, vmid);
}
