/**
 * Local recovery: what a node worker does for its guests before anything else, and again whenever a peer asks for it.
 *
 * It needs no control plane: records, journals, QEMU and the peer's worker are enough. A silent peer never blocks it: that guest
 * stays unsettled and is tried again, the rest goes on. Nothing here starts a guest whose record is of another boot.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever } from '../../../src/domain/assert-never.js';
import { laterGeneration, type Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { cont } from '../../../src/drivers/qemu/migration-commands.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import { endIncoming } from '../handover/end-incoming.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import type { NodeContext } from '../node-context.js';
import { forgetTakenOver } from '../offline/forget-taken-over.js';
import { releaseSource } from '../steps/release-source.js';
import { removeDeadStages } from './remove-dead-stages.js';
import { settleOrLeave, type SettleRequest } from './settle-migration.js';

const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 30_000;

/** Looks after every guest of this node until it is settled. Resolves once each has been tried once. */
export async function recoverGuests(node: NodeContext): Promise<void> {
  await removeDeadStages(node);
  await node.records.sync();
  const vmids = await node.records.list();
  await Promise.all(vmids.map((vmid) => recoverUntilSettled(node, vmid)));
}

/**
 * Tries once at once; what could not be settled yet is tried again in the background, with growing pauses. One recovery runs per
 * guest: who asks meanwhile joins it.
 */
export async function recoverUntilSettled(node: NodeContext, vmid: Vmid): Promise<void> {
  if (!(await node.recoveries.join(vmid, () => recoverOnce(node, vmid)))) void recoverLater(node, vmid);
}

async function recoverLater(node: NodeContext, vmid: Vmid): Promise<void> {
  await node.recoveries.later(vmid, async () => {
    for (let pauseMs = RETRY_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, RETRY_LONGEST_MS)) {
      await delay(pauseMs, undefined, { ref: false });
      if (await node.recoveries.join(vmid, () => recoverOnce(node, vmid))) return;
    }
  });
}

/** Answers whether nothing is left to do here: the guest is settled, or a living migration looks after it. */
async function recoverOnce(node: NodeContext, vmid: Vmid): Promise<boolean> {
  if (node.copies.has(vmid)) return true;
  try {
    const isSettled = await recoverGuest(node, vmid);
    await forgetTakenOver(node, vmid);
    return isSettled;
  } catch (error) {
    if (error instanceof KedgeError && error.code === 'needs-operator') {
      node.log.error({ vmid, error }, 'a guest needs an operator');
      return true;
    }
    node.log.warn({ vmid, error }, 'a guest could not be settled yet');
    return false;
  }
}

async function recoverGuest(node: NodeContext, vmid: Vmid): Promise<boolean> {
  const view = await node.records.read(vmid);
  if (view.kind !== 'record') return true;
  const { record } = view;
  // After a reboot a record is a claim, not a permission: settling could start the guest, so it waits for the registration.
  if (record.bootId !== node.bootId && !node.boot.confirmed) return false;
  // No memory and no running copy is in doubt: its workflow goes on, forward or back. A revoked copy is removed here all the same.
  if (record.mode === 'offline' && record.state !== 'revoked') return true;
  switch (record.state) {
    case 'owned':
      return record.migrationId === undefined ? recoverOwned(node, vmid) : settle(node, record);
    case 'releasing':
      return settle(node, record);
    case 'released':
      // With its copy gone this is a tombstone; with a copy, go may not have arrived.
      return (await lookAtGuest(node, vmid)).process === null ? settleReleased(node, record) : settle(node, record);
    case 'incoming':
      node.leases.renew(vmid);
      return settle(node, record);
    case 'armed':
      return settle(node, record);
    case 'revoked':
      return endRevoked(node, vmid);
    default:
      return assertNever(record);
  }
}

/** What a worker that died under its own ownership left undone: a `cont`, or a start from disk. */
async function recoverOwned(node: NodeContext, vmid: Vmid): Promise<boolean> {
  return node.locks.withLock(vmid, async () => {
    const { view, process, reading } = await lookAtGuest(node, vmid);
    if (view.record.kind !== 'record' || view.record.record.state !== 'owned' || view.record.record.migrationId !== undefined) return false;
    const { bootId, wanted } = view.record.record;
    if (bootId !== node.bootId) return node.boot.confirmed;
    if (node.starts.isUnderWay(vmid)) {
      await startGuestFromDisk(node, vmid);
      return true;
    }
    if (wanted !== 'running') return true;
    // A migration had told it to shut down and was rolled back; it obeyed while no worker listened. Nobody knows when: so long after the
    // word that it need not be due to that, it counts as crashed, as after any end that nobody saw.
    if (view.qemu === 'gone' && (await node.shutdowns.isAsked(vmid))) {
      await startGuestFromDisk(node, vmid);
      await node.shutdowns.end(vmid);
      return true;
    }
    // The target's worker died between `owned` and `cont`: nothing else explains a loaded copy that shall run.
    if (view.qemu === 'loaded' && process?.incoming === true) await crashPoint('target.cont', async () => cont(await node.monitors.of(vmid), 'target'));
    // The same between owned(g+2) and `cont` on the source.
    if (view.qemu === 'postmigrate' || reading?.runState === 'prelaunch')
      await crashPoint('source.cont', async () => cont(await node.monitors.of(vmid), 'source'));
    return view.qemu !== 'unreachable';
  });
}

/** Read under the lock: who held it before may have prepared this node anew. */
async function endRevoked(node: NodeContext, vmid: Vmid): Promise<boolean> {
  return node.locks.withLock(vmid, async () => {
    const view = await node.records.read(vmid);
    if (view.kind !== 'record' || view.record.state !== 'revoked') return false;
    await endIncoming(node, vmid);
    return true;
  });
}

/** A tombstone whose migration may still need this side's word; without a config it is history. */
async function settleReleased(node: NodeContext, record: OwnershipRecord): Promise<boolean> {
  const hasConfig = (await node.guestConfigs.list()).includes(record.vmid);
  return hasConfig ? settle(node, record) : true;
}

async function settle(node: NodeContext, record: OwnershipRecord): Promise<boolean> {
  const request = requestOf(node, record);
  if (request === null) return true;
  // A paused guest waits at `pre-switchover` for the release of its hold; nothing that shall run stands still.
  if (record.state === 'owned' && record.wanted !== 'running' && (await node.streams.isHeld(record.vmid, request.step.migrationId))) return true;
  const settled = await settleOrLeave(node, { ...request, direction: await directionOf(node, record), leaveCopyAlone: true });
  // Its workflow does this too, unless it was ended by force: then nobody else would.
  if (settled?.outcome === 'target-owns' && request.source === node.node)
    await releaseSource(node, { step: { ...request.step, sequence: 0 }, target: request.target, volumes: [], kept: [] });
  return true;
}

/** A running guest that is held must not be handed over without its release: it goes on here. */
async function directionOf(node: NodeContext, record: OwnershipRecord): Promise<'forward' | 'back'> {
  if (record.migrationId === undefined || record.state !== 'owned' || record.wanted !== 'running') return 'forward';
  if (!(await node.streams.isHeld(record.vmid, record.migrationId))) return 'forward';
  return (await lookAtGuest(node, record.vmid)).view.qemu === 'pre-switchover' ? 'back' : 'forward';
}

/** Which migration a record speaks of, and in which role this node is. */
export function requestOf(node: NodeContext, record: OwnershipRecord): Pick<SettleRequest, 'step' | 'source' | 'target'> | null {
  const { vmid, migrationId, peer } = record;
  if (migrationId === undefined || peer === undefined) return null;
  const isTarget = record.state === 'incoming' || record.state === 'armed' || record.state === 'revoked';
  const generation = isTarget ? record.generation : laterGeneration(record.generation, 1);
  const step = { vmid, migrationId, generation };
  return isTarget ? { step, source: peer, target: node.node } : { step, source: node.node, target: peer };
}
