import type { StepRef } from '../../../activities/interface.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { ownedFree } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from '../recovery/assert-boot-confirmed.js';
import { settleMigration, type SettleRequest } from '../recovery/settle-migration.js';
import { takenBackGeneration } from '../recovery/taken-back-generation.js';

export interface GiveBack extends Pick<SettleRequest, 'target' | 'assertCurrent'> {
  /** It is off for good and its record void: it need not answer. */
  readonly dead?: 'target';
}

/**
 * Undo on the source, of the copy and of the claim alike: the stream is cancelled, the guest is as wanted, its record is
 * owned(g+2) and free. "Never happened" and "already undone" are fine.
 *
 * The generation is burnt even when the claim never happened: the undo may overtake the claim (it carries the later sequence
 * number), and the next migration must not be taken for that late attempt.
 * @throws KedgeError `outcome-unknown` (retried), `needs-operator`, `cancel-refused` when the target owns the guest
 */
export async function giveBack(node: NodeContext, step: StepRef, how: GiveBack): Promise<void> {
  if (!(await isConcerned(node, step))) return;
  const settled = await settleMigration(node, { step, source: node.node, direction: 'back', ...how });
  if (settled.outcome === 'target-owns') {
    throw new KedgeError('cancel-refused', `Cannot roll ${step.migrationId} back: ${how.target} owns guest ${step.vmid}`);
  }
  await burnGeneration(node, step);
  await node.streams.remove(step.vmid);
}

/** Does the record speak of this migration, of the moment before it, or of its end? Anything else is not ours to undo. */
async function isConcerned(node: NodeContext, step: StepRef): Promise<boolean> {
  const view = await node.records.read(step.vmid);
  if (view.kind === 'missing') return false;
  if (view.kind === 'unreadable') throw new KedgeError('needs-operator', `Cannot undo ${step.migrationId}: ${view.reason}`);
  const { record } = view;
  if (record.migrationId === step.migrationId) return true;
  return record.state === 'owned' && record.migrationId === undefined && Math.abs(record.generation - step.generation) === 1;
}

async function burnGeneration(node: NodeContext, step: StepRef): Promise<void> {
  await node.locks.withLock(step.vmid, async () => {
    const view = await node.records.read(step.vmid);
    if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.generation + 1 !== step.generation) return;
    if (view.record.migrationId !== undefined && view.record.migrationId !== step.migrationId) return;
    assertBootConfirmed(node, view.record);
    const free = ownedFree(view.record, { generation: takenBackGeneration(step.generation), bootId: node.bootId });
    await crashPoint('source.take-back-record', () => node.records.write(free));
  });
}
