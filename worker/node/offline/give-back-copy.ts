import type { StepRef } from '../../../activities/interface.js';
import { laterGeneration, type NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { ownedFree, type OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { isGuestOn, waitForMachineEnd } from '../guests/guest-power.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from '../recovery/assert-boot-confirmed.js';
import { TargetLink } from './target-link.js';

const REVOKE_TIMEOUT_MS = 60_000;
/** A guest that was told to shut down a moment ago is waited for; one that obeys later, or ends more slowly, is started again by the watch over the guests. */
const SHUTTING_DOWN_MS = 15_000;

/**
 * Undo on the source of everything from the claim on: the record is `owned(g+2)` and free, the guest runs as wanted. Repeatable.
 *
 * Before `released` the source may take back alone: no go was sent. After it the target must have revoked, and it refuses when it owns.
 * `dead`: the target is off for good and its record void (the workflow's `voidGuest`), so that its next boot makes it `revoked`: without an
 * answer from it that is as good as its revocation; with one, what it says counts.
 * @throws KedgeError `cancel-refused` when the target owns the guest, `peer-unreachable` (retried) while that is not known
 */
export async function giveBackCopy(node: NodeContext, step: StepRef, { target, dead }: { target: NodeName; dead?: 'target' }): Promise<void> {
  await node.locks.withLock(step.vmid, async () => {
    const record = await readRecord(node, step);
    if (record === null) return;
    if (record.state === 'released') await revokeThere(node, step, { target, isDead: dead === 'target' });
    // Before the record is free: a reboot right after it must not make this a guest without `onboot` that the reboot has ended.
    if (record.wanted === 'running' && !isGuestOn(node, record)) await node.dueStarts.begin(step.vmid, laterGeneration(step.generation, 1));
    const free = await takeBack(node, step, record);
    if (free.kind === 'qemu' && (await node.shutdowns.isAsked(step.vmid))) await waitForMachineEnd(node, free, { timeoutMs: SHUTTING_DOWN_MS });
    if (isGuestOn(node, free) && !node.starts.isUnderWay(step.vmid)) return;
    await startGuestFromDisk(node, step.vmid);
    await node.shutdowns.end(step.vmid);
  });
}

/** Null: the record does not speak of this migration, nor of its end. */
async function readRecord(node: NodeContext, step: StepRef): Promise<OwnershipRecord | null> {
  const view = await node.records.read(step.vmid);
  if (view.kind === 'missing') return null;
  if (view.kind === 'unreadable') throw new KedgeError('needs-operator', `Cannot undo ${step.migrationId}: ${view.reason}`);
  const { record } = view;
  const isTakenBack = record.state === 'owned' && record.migrationId === undefined && record.generation === step.generation + 1;
  // An undo that overtakes its claim burns the generation, so that the late claim is refused.
  const isBeforeClaim = record.state === 'owned' && record.migrationId === undefined && record.generation + 1 === step.generation;
  return record.migrationId === step.migrationId || isTakenBack || isBeforeClaim ? record : null;
}

async function takeBack(node: NodeContext, step: StepRef, present: OwnershipRecord): Promise<OwnershipRecord> {
  const generation = laterGeneration(step.generation, 1);
  if (present.state === 'owned' && present.generation === generation && present.bootId === node.bootId) return present;
  assertBootConfirmed(node, present);
  const free = ownedFree(present, { generation, bootId: node.bootId });
  await crashPoint('source.take-back-record', () => node.records.write(free));
  return free;
}

/** Only a copy that was never taken over lets the source run the guest again: one that was passed on runs elsewhere. */
async function revokeThere(node: NodeContext, step: StepRef, { target, isDead }: { target: NodeName; isDead: boolean }): Promise<void> {
  const { vmid, migrationId, generation } = step;
  const refused = (reason: string, cause?: unknown): KedgeError =>
    new KedgeError('cancel-refused', `Cannot roll ${migrationId} back: ${reason}`, cause === undefined ? {} : { cause });
  try {
    const { ran } = await crashPoint('source.revoke-message', () =>
      new TargetLink(node, target).call('revoke', { vmid, migrationId, generation }, { timeoutMs: REVOKE_TIMEOUT_MS }),
    );
    if (ran === 'superseded') throw refused(`${target} had guest ${vmid}, and it has gone on from there`);
  } catch (error) {
    if (isDead && error instanceof KedgeError && error.code === 'peer-unreachable') return;
    if (error instanceof KedgeError && error.code === 'peer-refused' && error.details['code'] === 'peer-refused')
      throw refused(`${target} has guest ${vmid} already`, error);
    throw error;
  }
}
