import type { StepRef } from '../../../activities/interface.js';
import { laterGeneration } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { isGuestOn } from '../guests/guest-power.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from '../recovery/assert-boot-confirmed.js';

/**
 * Starts the guest at its new owner if it is wanted running; one that was moved switched off stays off. Forward only and repeatable.
 *
 * Who starts it, and how often, when the node reboots between the hand-over and this step, by number:
 * 1. `owned` is durable, then the power fails. confirmBoot finds a record of an earlier boot and would have a guest without `onboot` stay
 *    off for good (`wanted: stopped`): this step would then find nothing to do, and the migration would end well with the guest off. So
 *    the start is noted as due, durably, before `owned`: confirmBoot starts such a guest, and this step finds it on.
 * 2. This step comes before confirmBoot, which may be slow with other guests: it waits for the registration, writes the record of this
 *    boot and starts; confirmBoot finds a record of this boot and leaves it alone.
 * 3. Both at once: each holds the guest's lock from its look at the record to the end of the start.
 * 4. The worker dies between the record of this boot and the start: the mark of the start has local recovery finish it (confirmBoot), or
 *    this step is repeated (here). Both pay the debt.
 * 5. confirmBoot can't start it: the debt stays, the record says running; this step tries again and tells why.
 * 6. The power fails once more, after the guest ran: the debt is paid, it is like any guest without `onboot`, and stays off. This step,
 *    if its answer was lost, answers that nothing was started, and the story warns.
 * 7. The power fails between the debt and `owned`: the record is `armed`, nothing starts; go is said again, or the revocation removes both.
 * @throws KedgeError `outcome-unknown` (retried) while this node does not own it; those of the start, which an operator can mend
 */
export async function startMoved(node: NodeContext, step: StepRef): Promise<{ startedAt: string | null }> {
  return node.locks.withLock(step.vmid, async () => {
    const view = await node.records.read(step.vmid);
    const record = view.kind === 'record' ? view.record : null;
    // g+3 and free: this node has taken the guest over alone (take-over-alone.ts); no later migration begins while this one asks.
    const takenOver = record?.state === 'owned' && record.generation === laterGeneration(step.generation, 2);
    if (record !== null && record.generation > step.generation && !takenOver) return { startedAt: null };
    if (record?.state !== 'owned' || (record.generation !== step.generation && !takenOver))
      throw new KedgeError('outcome-unknown', `Cannot start guest ${step.vmid}: ${node.node} does not own it`);
    // The claim of a later migration: it has gone on from here.
    if (record.migrationId !== undefined) return { startedAt: null };
    if (record.bootId !== node.bootId) {
      assertBootConfirmed(node, record);
      await crashPoint('node.boot-record', () => node.records.write({ ...record, bootId: node.bootId }));
    }
    await node.volumes.remove(step.vmid);
    if (record.wanted !== 'running') return { startedAt: null };
    if (!isGuestOn(node, record) || node.starts.isUnderWay(step.vmid)) await startGuestFromDisk(node, step.vmid);
    return { startedAt: new Date().toISOString() };
  });
}
