import { rm } from 'node:fs/promises';
import type { StepRef } from '../../../activities/interface.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { CopiedVolume } from '../../../src/domain/moving-volume.js';
import { hasTakenOver, type OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { containerFiles } from '../../../src/drivers/lxc/container-ref.js';
import { containerOf } from '../guests/container-of.js';
import { quitGuestCopy } from '../guests/end-guest.js';
import type { NodeContext } from '../node-context.js';
import { storageOf } from '../offline/storage-of.js';
import { askPeer } from '../recovery/ask-peer.js';

export interface ReleaseRequest {
  readonly step: StepRef;
  readonly target: NodeName;
  /** Volumes that were copied, verified and handed over, and are not to be kept here. */
  readonly volumes: readonly CopiedVolume[];
  /** Those that are to be kept. */
  readonly kept: readonly CopiedVolume[];
}

/**
 * Removes what the source still has of a guest that the target owns: process, devices, config, journal. The record stays as the
 * tombstone `released`. Forward only and repeatable.
 *
 * Who could still need it? Nobody: the target's `owned` is durable (it says so itself here), and a source that was told so never
 * runs the guest again. Its shared volumes are the target's now and are not touched; of those that were copied the target has verified copies.
 * @throws KedgeError `peer-unreachable` (retried) until the target says that it owns the guest
 */
export async function releaseSource(node: NodeContext, request: ReleaseRequest): Promise<void> {
  const { step, target, volumes, kept } = request;
  await node.locks.withLock(step.vmid, async () => {
    const view = await node.records.read(step.vmid);
    if (view.kind !== 'record') throw new KedgeError('record-unreadable', `Cannot release guest ${step.vmid}: its record is ${view.kind}`);
    const { record } = view;
    if (record.generation !== step.generation - 1)
      throw new KedgeError('stale-claim', `Cannot release guest ${step.vmid} as ${step.migrationId}: its record is ${record.state}(${record.generation})`);
    await assertTargetOwns(node, step, target);
    if (record.state !== 'released') {
      const released: OwnershipRecord = { ...record, state: 'released', migrationId: step.migrationId, peer: target };
      await crashPoint('source.released-record', () => node.records.write(released));
    }
    await quitGuestCopy(node, step.vmid);
    await crashPoint('source.release-files', async () => {
      // First: should the rest never come, these are known, and those are not taken for kept.
      await node.kept.add(step.vmid, sourcesOf(kept), step.migrationId);
      await node.kept.drop(step.vmid, sourcesOf(volumes));
      for (const { from } of volumes) await (await storageOf(node, from)).remove(from);
      await node.shutdowns.end(step.vmid);
      await node.dueStarts.end(step.vmid);
      await node.guestConfigs.remove(step.vmid);
      await rm(containerFiles(containerOf(node, step.vmid)).folder, { recursive: true, force: true });
      await node.streams.remove(step.vmid);
      await node.steps.forget(step.vmid);
    });
  });
}

const sourcesOf = (volumes: readonly CopiedVolume[]): readonly string[] => volumes.map(({ from }) => from);

async function assertTargetOwns(node: NodeContext, step: StepRef, target: NodeName): Promise<void> {
  const view = await askPeer(node, target, step.vmid);
  if (view === 'unreachable') throw new KedgeError('peer-unreachable', `Cannot release guest ${step.vmid}: ${target} does not answer`);
  if (view.record.kind !== 'record')
    throw new KedgeError('outcome-unknown', `Cannot release guest ${step.vmid}: the record of ${target} is ${view.record.kind}`);
  const { record } = view.record;
  // A later generation proves that the guest was owned there and went on.
  if (record.generation <= step.generation && !hasTakenOver(record, step.generation))
    throw new KedgeError('outcome-unknown', `Cannot release guest ${step.vmid}: ${target} does not own it`);
}
