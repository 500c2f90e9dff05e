import type { StepRef } from '../../../activities/interface.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { isGuestOn } from '../guests/guest-power.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from '../recovery/assert-boot-confirmed.js';

/**
 * Starts the guest at its new owner if it is wanted running; one that was moved switched off stays off. Forward only and repeatable.
 * @throws KedgeError `outcome-unknown` (retried) while this node does not own it; those of the start, which an operator can mend
 */
export async function startMoved(node: NodeContext, step: StepRef): Promise<{ startedAt: string | null }> {
  return node.locks.withLock(step.vmid, async () => {
    const view = await node.records.read(step.vmid);
    const record = view.kind === 'record' ? view.record : null;
    if (record !== null && record.generation > step.generation) return { startedAt: null };
    if (record?.state !== 'owned' || record.generation !== step.generation)
      throw new KedgeError('outcome-unknown', `Cannot start guest ${step.vmid}: ${node.node} does not own it`);
    // The claim of a later migration: it has gone on from here.
    if (record.migrationId !== undefined) return { startedAt: null };
    if (record.bootId !== node.bootId) {
      assertBootConfirmed(node, record);
      await node.records.write({ ...record, bootId: node.bootId });
    }
    await node.volumes.remove(step.vmid);
    if (record.wanted !== 'running') return { startedAt: null };
    if (!isGuestOn(node, record)) await startGuestFromDisk(node, step.vmid);
    return { startedAt: new Date().toISOString() };
  });
}
