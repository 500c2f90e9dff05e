import { parseNodeName, type Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord, QemuState } from '../../../src/domain/ownership.js';
import type { RepairResult } from '../../../src/domain/repair.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import { endIncoming } from '../handover/end-incoming.js';
import { giveUpCopy } from '../handover/give-up-copy.js';
import type { NodeContext } from '../node-context.js';
import { settleDeadCopy } from '../offline/settle-dead-copy.js';
import { askPeer } from '../recovery/ask-peer.js';
import { requestOf } from '../recovery/recover-guests.js';
import { settleMigration } from '../recovery/settle-migration.js';
import { releaseSource } from '../steps/release-source.js';
import { askForOwner } from './certain-owner.js';
import { gone, refuse, repaired } from './repair-result.js';

/**
 * Settles a record that an ended migration has left: the claim of a source, or what a target prepared. Whoever asks has seen that its workflow
 * does not run; that stays so, since its id is issued once. What each side may do then is the protocol's own: the same steps as
 * the first step of the next migration (`settleDeadClaim`), the end of a lease, or `kedge guest start` (`settleDeadCopy`).
 */
export async function settleDead(node: NodeContext, vmid: Vmid, migrationId: string): Promise<RepairResult> {
  const record = await recordOf(node, vmid, migrationId);
  if (record === null) return gone(`the record does not speak of ${migrationId} any more`);
  // An activity that outlives its workflow for a moment: it settles its own end.
  if (node.copies.has(vmid)) return refuse(`the copy of ${migrationId} is still being ended, ask again in a moment`);
  if (record.state === 'incoming') return giveUpIncoming(node, vmid, migrationId);
  if (record.mode === 'offline') await settleDeadCopy(node, record);
  else await settleLive(node, record);
  if (record.state === 'armed') await giveUpArmed(node, vmid, migrationId);
  const left = await recordOf(node, vmid, migrationId);
  return left === null || isTombstone(left) ? repaired : refuse(`its record is still ${left.state}(${left.generation}) of ${migrationId}`);
}

/** Null: the record is of something else by now. */
async function recordOf(node: NodeContext, vmid: Vmid, migrationId: string): Promise<OwnershipRecord | null> {
  const view = await node.records.read(vmid);
  return view.kind === 'record' && view.record.migrationId === migrationId ? view.record : null;
}

const isTombstone = ({ state }: OwnershipRecord): boolean => state === 'released' || state === 'revoked';

/** By the table, from both sides, towards the source: without a workflow nobody would go on with the copy. */
async function settleLive(node: NodeContext, record: OwnershipRecord): Promise<void> {
  const request = requestOf(node, record);
  if (request === null) return;
  const settled = await settleMigration(node, { ...request, direction: 'back' });
  if (request.source !== node.node) return;
  if (settled.outcome === 'source-owns') await node.streams.remove(record.vmid);
  else await releaseSource(node, { step: { ...request.step, sequence: 0 }, target: request.target, volumes: [], kept: [] });
}

/** As at the end of its lease: only `incoming` may be given up alone, since arming needs it, and then no go can come. */
async function giveUpIncoming(node: NodeContext, vmid: Vmid, migrationId: string): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const record = await recordOf(node, vmid, migrationId);
    if (record?.state !== 'incoming') return gone(`the record is not incoming of ${migrationId} any more`);
    await giveUpCopy(node, record);
    return repaired;
  });
}

/**
 * An armed copy ends only by its source's word. Here it is: the source owns the guest under a later generation and is claimed by nobody, so it
 * has taken the guest back, and no go of this generation can be under way that a revocation would not have to precede.
 */
async function giveUpArmed(node: NodeContext, vmid: Vmid, migrationId: string): Promise<void> {
  await node.locks.withLock(vmid, async () => {
    const record = await recordOf(node, vmid, migrationId);
    if (record?.state !== 'armed') return;
    const source = await askPeer(node, parseNodeName(record.peer), vmid);
    const theirs = source !== 'unreachable' && source.record.kind === 'record' ? source.record.record : null;
    if (theirs?.state === 'owned' && theirs.migrationId === undefined && theirs.generation > record.generation) await giveUpCopy(node, record);
  });
}

/** A release that was cut off between the record and its end, repeated: it asks the target itself whether it owns the guest. Disks stay. */
export async function finishRelease(node: NodeContext, vmid: Vmid): Promise<RepairResult> {
  const view = await node.records.read(vmid);
  if (view.kind !== 'record' || view.record.state !== 'released') return gone('its record is not released any more');
  const request = requestOf(node, view.record);
  if (request === null) return refuse('its record names no migration');
  await releaseSource(node, { step: { ...request.step, sequence: 0 }, target: request.target, volumes: [], kept: [] });
  return repaired;
}

/**
 * What the node's worker does at each start for a revoked record: nothing of that attempt can ever be told to go. Only a copy that may be running
 * all the same, which no step of the protocol leaves, is looked at as any second copy is: it goes if the owner surely runs the guest elsewhere.
 */
export async function endRevokedCopy(node: NodeContext, vmid: Vmid): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const { view } = await lookAtGuest(node, vmid);
    if (view.record.kind !== 'record' || view.record.record.state !== 'revoked') return gone('its record is not revoked any more');
    if (!NEVER_RAN.includes(view.qemu)) {
      const evidence = await askForOwner(node, vmid);
      if (!evidence.certain) return refuse(`its copy may be running (${view.qemu}), and the owner is not certain: ${evidence.because}`);
      if (evidence.view.qemu !== 'running') return refuse(`its copy may be running (${view.qemu}), and the owner ${evidence.view.node} does not run the guest`);
    }
    await endIncoming(node, vmid);
    return repaired;
  });
}

const NEVER_RAN: readonly QemuState[] = ['gone', 'inmigrate', 'loaded'];
