import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestKind, OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { readContainer } from '../../../src/drivers/lxc/read-container.js';
import { cont } from '../../../src/drivers/qemu/migration-commands.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import type { NodeContext } from '../node-context.js';
import { findGuestProcess } from './look-at-guest.js';
import { containerOf } from './container-of.js';
import { killGuestCopy } from './end-guest.js';
import { launchContainer } from './launch-container.js';
import { launchGuest } from './launch-guest.js';

/**
 * Boots a guest from its disks, or finishes a start that a crash cut off. The caller holds the guest's lock.
 *
 * Who could still be running it? This node owns it in this boot, so nobody else may; and on this node a process that exists is
 * either that guest already (then nothing is started) or a copy from before the take-over, which was killed by the caller.
 * @throws KedgeError `not-owner` unless the record is owned, unclaimed and of this boot; those of `launchGuest` and `launchContainer`
 */
export async function startGuestFromDisk(node: NodeContext, vmid: Vmid): Promise<void> {
  const view = await node.records.read(vmid);
  if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.bootId !== node.bootId || view.record.migrationId !== undefined) {
    throw new KedgeError(
      'not-owner',
      `Cannot start guest ${vmid}: ${node.node} may not run it, its record is ${view.kind === 'record' ? view.record.state : view.kind}`,
    );
  }
  if (view.record.wanted === 'stopped') return noteStarted(node, vmid);
  await node.starts.begin(vmid);
  if (!(await isThere(node, vmid, view.record.kind))) {
    try {
      await crashPoint('node.start-guest', () => launch(node, view.record));
    } catch (error) {
      await killGuestCopy(node, vmid);
      await node.starts.end(vmid);
      throw error;
    }
  }
  // A container runs as soon as it is there.
  if (view.record.kind === 'qemu' && view.record.wanted === 'running')
    await crashPoint('node.start-cont', async () => cont(await node.monitors.of(vmid), 'source'));
  await noteStarted(node, vmid);
}

/** Asked twice, it starts one; what is on its way up or down is refused. */
async function launch(node: NodeContext, { vmid, kind }: Pick<OwnershipRecord, 'vmid' | 'kind'>): Promise<void> {
  const runs = kind === 'qemu' ? findGuestProcess(node, vmid) !== null : (await readContainer(containerOf(node, vmid))).state === 'running';
  if (runs) return;
  if (kind === 'lxc') await launchContainer(node, vmid);
  else await launchGuest(node, vmid, { config: parseGuestConfig(await node.guestConfigs.read(vmid, 'qemu')), incoming: false });
}

/** The mark last: until it is gone, recovery comes here again. */
async function noteStarted(node: NodeContext, vmid: Vmid): Promise<void> {
  await node.dueStarts.end(vmid);
  await node.starts.end(vmid);
}

/** @throws KedgeError `outcome-unknown` for a container that is on its way up or down: a start that a dead worker began may still succeed */
async function isThere(node: NodeContext, vmid: Vmid, kind: GuestKind): Promise<boolean> {
  if (kind === 'qemu') return findGuestProcess(node, vmid) !== null;
  const reading = await readContainer(containerOf(node, vmid));
  if (reading.state === 'unreachable') throw new KedgeError('outcome-unknown', `Cannot start container ${vmid} yet: ${reading.reason}`);
  return reading.state !== 'gone';
}
