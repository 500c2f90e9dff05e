/**
 * The target takes a guest over that was shut down, when the source is lost for good: `owned(g+3)`, then the start.
 *
 * Who could still be running it, by number:
 * 1. The source: its record is void before this is called (the workflow's `voidGuest`), so its next boot starts nothing; that its power is off
 *    was stated by an operator or made sure of by a fencing device. If it answers all the same, it decides, not this step.
 * 2. This node: not before `owned(g+3)`, which is durable before the start is due (start-moved.ts has the rest).
 * 3. An attempt of this step that comes late: it is claimed, and each reads the record under the guest's lock. `owned(g+3)` is never written over
 *    anything but `incoming` with every volume published, or `armed`, of this very migration.
 * 4. A source that took the guest back before it was lost: only an undo of the workflow makes it do that, and none has begun when this is called.
 */
import type { StepRef } from '../../../activities/interface.js';
import { laterGeneration, type NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestView, OwnershipRecord } from '../../../src/domain/ownership.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from '../recovery/ask-peer.js';
import { startMoved } from './start-moved.js';
import { armCopy, ownCopy } from './take-over-copy.js';

/**
 * @throws KedgeError `node-alive` when the source answers and may act itself, `guest-state` when this node has no whole copy; those of the start
 */
export async function takeOverAlone(node: NodeContext, step: StepRef, source: NodeName): Promise<{ startedAt: string | null }> {
  const generation = laterGeneration(step.generation, 2);
  await node.locks.withLock(step.vmid, async () => {
    const view = await node.records.read(step.vmid);
    const record = view.kind === 'record' ? view.record : null;
    if (record?.state === 'owned' && record.generation === generation) return;
    if (record?.migrationId !== step.migrationId || record.mode !== 'offline' || (record.state !== 'incoming' && record.state !== 'armed')) {
      const has = record === null ? view.kind : `${record.state}(${record.generation})`;
      throw new KedgeError('guest-state', `Cannot take guest ${step.vmid} over on ${node.node}: its record here is ${has}`);
    }
    const other = await askPeer(node, source, step.vmid);
    if (other !== 'unreachable' && isOfEarlierBoot(other))
      throw new KedgeError('outcome-unknown', `Cannot take guest ${step.vmid} over on ${node.node} yet: ${source} is back and has not registered`);
    if (other !== 'unreachable' && !isVoid(other, step))
      throw new KedgeError('node-alive', `Cannot take guest ${step.vmid} over on ${node.node}: ${source} answers, so it is not off`);
    await ownCopy(node, await armed(node, record), generation);
  });
  return startMoved(node, step);
}

async function armed(node: NodeContext, record: OwnershipRecord & { state: 'incoming' | 'armed' }): Promise<OwnershipRecord & { state: 'armed' }> {
  if (record.state === 'incoming') await armCopy(node, { ...record, state: 'incoming' }, record.wanted);
  return { ...record, state: 'armed', bootId: node.bootId };
}

/** The source has come back and made its record void: it can't run the guest under it any more. */
export function isVoid({ record, qemu }: GuestView, { migrationId }: Pick<StepRef, 'migrationId'>): boolean {
  return qemu === 'gone' && record.kind === 'record' && record.record.state === 'revoked' && record.record.migrationId === migrationId;
}

/** The node has rebooted since it wrote that record, and may not have heard yet what became of the guest. */
export function isOfEarlierBoot({ record, bootId }: GuestView): boolean {
  return record.kind === 'record' && record.record.state !== 'revoked' && record.record.bootId !== bootId;
}
