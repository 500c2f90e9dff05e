import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { cont } from '../../../src/drivers/qemu/migration-commands.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import type { NodeContext } from '../node-context.js';
import { findGuestProcess } from './look-at-guest.js';
import { killGuestCopy } from './end-guest.js';
import { launchGuest } from './launch-guest.js';

/**
 * Boots a guest from its disks, or finishes a start that a crash cut off. The caller holds the guest's lock.
 *
 * Who could still be running it? This node owns it in this boot, so nobody else may; and on this node a process that exists is
 * either that guest already (then nothing is started) or a copy from before the take-over, which was killed by the caller.
 * @throws KedgeError `not-owner` unless the record is owned, unclaimed and of this boot; those of `launchGuest`
 */
export async function startGuestFromDisk(node: NodeContext, vmid: Vmid): Promise<void> {
  const view = await node.records.read(vmid);
  if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.bootId !== node.bootId || view.record.migrationId !== undefined) {
    throw new KedgeError(
      'not-owner',
      `Cannot start guest ${vmid}: ${node.node} may not run it, its record is ${view.kind === 'record' ? view.record.state : view.kind}`,
    );
  }
  if (view.record.wanted === 'stopped') {
    await node.starts.end(vmid);
    return;
  }
  await node.starts.begin(vmid);
  if (findGuestProcess(node, vmid) === null) {
    try {
      await launchGuest(node, vmid, { config: parseGuestConfig(await node.guestConfigs.read(vmid)), incoming: false });
    } catch (error) {
      await killGuestCopy(node, vmid);
      await node.starts.end(vmid);
      throw error;
    }
  }
  if (view.record.wanted === 'running') await cont(await node.monitors.of(vmid), 'source');
  await node.starts.end(vmid);
}
