/**
 * The hand-over of a guest that is off: `releasing` → arm there → `released` (durable) → go there → `owned` there (durable). Repeatable at
 * every point; no process runs anywhere, so nothing has to be quick.
 *
 * Who may run the guest, by number:
 * 1. up to `released` the source alone may take back: no go exists, since `released` is durable before go is sent;
 * 2. at `released` only the target's word decides: go, or its answer to a revocation;
 * 3. go is repeatable: a target that owns the guest, or has moved on from there, answers "done";
 * 4. a second attempt, or a roll-back, at the same time: each step is claimed, and each write is under the guest's lock after a look at
 *    the record, so that whoever comes second finds what the first has written;
 * 5. a record of an earlier boot hands nothing over before this boot is registered: somebody may have taken the guest over meanwhile.
 */
import type { StepRef } from '../../../activities/interface.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from '../recovery/assert-boot-confirmed.js';
import { TargetLink } from './target-link.js';

const CALL_TIMEOUT_MS = 15_000;
/** A guest that is off is better started where it was than kept waiting for a target that can't be armed: with the pauses some minutes. */
const ARM_ATTEMPTS = 8;

/**
 * @throws KedgeError `rolled-back` when the target can't be armed: the guest is the source's as before; `peer-unreachable` and others
 *   (retried) as long as nobody can tell
 */
export async function handOverCopy(node: NodeContext, step: StepRef, { target, attempt }: { target: NodeName; attempt: number }): Promise<void> {
  await node.locks.withLock(step.vmid, async () => {
    const record = await readRecord(node, step);
    assertBootConfirmed(node, record);
    const link = new TargetLink(node, target);
    const ref = { vmid: step.vmid, migrationId: step.migrationId, generation: step.generation };
    if (record.state === 'releasing') {
      await arm(link, { ...ref, wanted: record.wanted }, { target, isLast: attempt >= ARM_ATTEMPTS });
      const released: OwnershipRecord = { ...record, state: 'released', bootId: node.bootId };
      await crashPoint('source.released-record', () => node.records.write(released));
    }
    await crashPoint('source.go-message', () => link.call('go', { ...ref, mode: 'offline' }, { timeoutMs: CALL_TIMEOUT_MS }));
  });
}

/** Whether the target is armed or not when this fails: under `releasing` no go was sent, so the source may take the guest back. */
async function arm(link: TargetLink, ref: Parameters<typeof link.call<'arm'>>[1], { target, isLast }: { target: NodeName; isLast: boolean }): Promise<void> {
  try {
    await crashPoint('source.arm-message', () => link.call('arm', ref, { timeoutMs: CALL_TIMEOUT_MS }));
  } catch (error) {
    if (!(error instanceof KedgeError) || (error.retryable && !isLast)) throw error;
    throw new KedgeError('rolled-back', `Cannot hand guest ${ref.vmid} over: ${target} can't be armed: ${error.message}`, { cause: error });
  }
}

async function readRecord(node: NodeContext, step: StepRef): Promise<OwnershipRecord & { state: 'releasing' | 'released' }> {
  const view = await node.records.read(step.vmid);
  const record = view.kind === 'record' ? view.record : null;
  const isOurs = record?.migrationId === step.migrationId && record.generation + 1 === step.generation;
  if (isOurs && (record.state === 'releasing' || record.state === 'released')) return record;
  throw new KedgeError(
    'rolled-back',
    `Cannot hand guest ${step.vmid} over: its record is ${record === null ? view.kind : `${record.state}(${record.generation})`}`,
  );
}
