/**
 * The target's part of the hand-over: arm, go, revoke. Each holds the guest's lock from the look at the record to QEMU's answer.
 *
 *   incoming ──arm──▶ armed ──go──▶ owned
 *      └────────revoke──┴──▶ revoked          (a go after revoke is refused, a revoke after go too)
 *
 * Why no guest runs twice here, the races by number (docs/protocol.md has the whole argument):
 * 1. go twice (the first answer was lost): the second finds `owned` of this migration, does nothing new and says "done".
 * 2. revoke against go: both take the lock; whichever comes first writes its record, and the other reads that record.
 * 3. death between the rename of `owned` and `cont`: local recovery finds `owned`, loaded, wanted running, and sends `cont`.
 * 4. death between `armed` and go's arrival: the record stays armed; only the source says go, only a revocation ends it.
 * 5. a go from an older attempt: migration id and generation are part of it and of the record.
 */
import type { Generation, MigrationId, NodeName, Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { hasTakenOver, ownedFree, whetherRan, type OwnershipRecord, type Revoked, type Wanted } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { announceSelf, cont } from '../../../src/drivers/qemu/migration-commands.js';
import type { QmpConnection } from '../../../src/drivers/qmp/qmp-connection.js';
import { armCopy, ownCopy } from '../offline/take-over-copy.js';
import { hasForeignConfig } from '../guests/has-foreign-config.js';
import { endIncoming } from './end-incoming.js';
import { isMigrationEvent } from './migration-event.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from '../recovery/assert-boot-confirmed.js';
import { lookAtGuest } from '../guests/look-at-guest.js';

/** Which hand-over is meant, and who says so. */
export interface HandOverRef {
  readonly vmid: Vmid;
  readonly migrationId: MigrationId;
  /** Generation of the migration: g+1. */
  readonly generation: Generation;
  readonly from: NodeName;
  /** The guest moves switched off. */
  readonly mode?: 'offline' | undefined;
}

/** The source has seen `completed`; the target's own status follows within milliseconds. */
const LOADED_TIMEOUT_MS = 3_000;

/**
 * Writes `armed`: from its fsync on only go or a revocation decides. `wanted`: what the guest shall do, where that may have changed since
 * this node was prepared. @throws KedgeError `peer-refused` names what forbids it
 */
export async function arm(node: NodeContext, ref: HandOverRef, wanted?: Wanted): Promise<void> {
  await node.locks.withLock(ref.vmid, async () => {
    const record = await readOwnRecord(node, ref);
    if (record?.state === 'armed' && isOf(record, ref)) {
      await node.records.sync();
      return;
    }
    if (record?.state !== 'incoming' || !isOf(record, ref)) throw refused('arm', ref, record);
    if (record.mode === 'offline') return armCopy(node, record, wanted ?? record.wanted);
    if (record.bootId !== node.bootId)
      throw new KedgeError('peer-refused', `Cannot arm guest ${ref.vmid}: its copy was prepared in an earlier boot of this node`);
    const staged = node.stages.of(ref.vmid, ref.generation)?.armed;
    await crashPoint('target.armed-record', async () => {
      const stage = staged ?? (await node.records.stage({ ...record, state: 'armed' }));
      await stage.commit();
      await stage.syncFolder();
    });
  });
}

/**
 * Takes the guest over and lets it run (or keeps it paused, as wanted). Repeatable.
 * @throws KedgeError `peer-refused` when the record, the boot or QEMU's state forbids it: nothing has run then
 */
export async function go(node: NodeContext, ref: HandOverRef): Promise<{ resumedAtMs: number; alreadyDone: boolean }> {
  return node.locks.withLock(ref.vmid, async () => {
    const record = await readOwnRecord(node, ref);
    if (ref.mode === 'offline') return goOffline(node, ref, record);
    if (record?.state === 'owned' && record.generation === ref.generation && record.bootId === node.bootId) {
      const qmp = await node.monitors.of(ref.vmid);
      const resumedAtMs = await crashPoint('target.cont', () => resume(qmp, record));
      await node.records.sync();
      return { resumedAtMs, alreadyDone: true };
    }
    if (record?.state !== 'armed' || !isOf(record, ref)) throw refused('go', ref, record);
    if (record.bootId !== node.bootId) throw new KedgeError('peer-refused', `Cannot let guest ${ref.vmid} go: it was armed in an earlier boot of this node`);
    const qmp = await node.monitors.of(ref.vmid);
    await waitUntilLoaded(node, ref.vmid, qmp);
    const owned = ownedRecord(node, record);
    const staged = node.stages.of(ref.vmid, ref.generation)?.owned;
    const stage = await crashPoint('target.owned-record', async () => {
      const next = staged ?? (await node.records.stage(owned));
      await next.commit();
      return next;
    });
    const resumedAtMs = await crashPoint('target.cont', () => resume(qmp, owned));
    // The page cache carries the rename past the death of this worker; a power cut takes the RAM of the guest too.
    await crashPoint('target.owned-sync', () => stage.syncFolder());
    await node.stages.drop(ref.vmid);
    node.leases.end(ref.vmid);
    void crashPoint('target.announce', () => announceSelf(qmp)).catch((error: unknown) => {
      node.log.warn({ vmid: ref.vmid, error }, 'announcing the guest failed');
    });
    return { resumedAtMs, alreadyDone: false };
  });
}

/**
 * The guest was off when it was handed over: nothing runs yet, so another boot of this node is no obstacle, and a record that has gone on
 * from there says that this go was done.
 */
async function goOffline(node: NodeContext, ref: HandOverRef, record: OwnershipRecord | null): Promise<{ resumedAtMs: number; alreadyDone: boolean }> {
  if (record !== null && (record.generation > ref.generation || hasTakenOver(record, ref.generation))) {
    await node.records.sync();
    if (record.generation === ref.generation) await node.volumes.remove(ref.vmid);
    return { resumedAtMs: Date.now(), alreadyDone: true };
  }
  if (record?.state !== 'armed' || record.mode !== 'offline' || !isOf(record, ref)) throw refused('go', ref, record);
  // This node may have been given up for dead meanwhile, and hears of it when it registers.
  assertBootConfirmed(node, record);
  await ownCopy(node, record);
  return { resumedAtMs: Date.now(), alreadyDone: false };
}

/**
 * Ends this migration's copy for good: every later go is refused. The answer comes after the record is durable and the
 * process is seen gone. Repeatable; without any preparation it still leaves the tombstone that a late one will find.
 * @throws KedgeError `peer-refused` when this node owns the guest: it may be running here
 */
export async function revoke(node: NodeContext, ref: HandOverRef): Promise<{ ran: Revoked }> {
  return node.locks.withLock(ref.vmid, async () => {
    const view = await node.records.read(ref.vmid);
    if (view.kind === 'unreadable') throw new KedgeError('peer-refused', `Cannot revoke guest ${ref.vmid}: ${view.reason}`);
    const record = view.kind === 'record' ? view.record : null;
    // Nothing was prepared beside it, nor will be; a tombstone would have the next clean-up take it for ours.
    if (await hasForeignConfig(node, ref.vmid)) return { ran: 'no' };
    if (record !== null && isLaterTombstone(record, ref)) {
      // It refuses every go of this generation as well as our own would.
      await node.records.sync();
      return { ran: 'superseded' };
    }
    if (record?.state === 'owned') assertBootConfirmed(node, record);
    if (record !== null && (record.generation > ref.generation || !['incoming', 'armed', 'revoked', 'released'].includes(record.state)))
      throw refused('revoke', ref, record);
    // Before the record, as a preparation does it: afterwards nothing would tell that this older copy was never taken over.
    if (record !== null && record.migrationId !== ref.migrationId) await endIncoming(node, ref.vmid);
    const revoked = revokedRecord(node, ref, record);
    if (record?.state !== 'revoked' || record.generation < ref.generation) {
      await crashPoint('target.revoked-record', () => node.records.write(revoked));
    } else {
      await node.records.sync();
    }
    await endIncoming(node, ref.vmid);
    return { ran: revoked.ran };
  });
}

/** Left by a guest that was here under this generation, or by a later migration: in both cases it has gone on since. */
function isLaterTombstone({ state, generation }: OwnershipRecord, ref: HandOverRef): boolean {
  return (state === 'released' && generation >= ref.generation) || (state === 'revoked' && generation > ref.generation);
}

function revokedRecord(node: NodeContext, ref: HandOverRef, record: OwnershipRecord | null): OwnershipRecord & { state: 'revoked' } {
  const ofThis = record?.generation === ref.generation ? record : null;
  return {
    vmid: ref.vmid,
    kind: record?.kind ?? 'qemu',
    generation: ref.generation,
    wanted: record?.wanted ?? 'stopped',
    bootId: node.bootId,
    migrationId: ref.migrationId,
    peer: ref.from,
    state: 'revoked',
    ran: ofThis === null ? 'no' : ofThis.state === 'revoked' ? ofThis.ran : whetherRan(ofThis, node.bootId),
  };
}

/** Writes and fsyncs the records of a hand-over beside the incoming one, while there is time. */
export async function stageTargetRecords(node: NodeContext, incoming: OwnershipRecord & { state: 'incoming' }): Promise<void> {
  const { vmid, generation } = incoming;
  await crashPoint('target.stage-records', async () => {
    await node.stages.drop(vmid);
    const armed = await node.records.stage({ ...incoming, state: 'armed' });
    const owned = await node.records.stage(ownedRecord(node, incoming));
    node.stages.keep(vmid, { generation, armed, owned });
  });
}

/** The record that a go writes: the claim ends with it. */
function ownedRecord(node: NodeContext, armed: OwnershipRecord): OwnershipRecord {
  return ownedFree(armed, { generation: armed.generation, bootId: node.bootId });
}

async function resume(qmp: QmpConnection, record: OwnershipRecord): Promise<number> {
  if (record.wanted !== 'running') return Date.now();
  const before = qmp.lastSequence;
  const { alreadyRunning } = await cont(qmp, 'target');
  if (alreadyRunning) return Date.now();
  const event = qmp.eventsSince(before).find(({ name }) => name === 'RESUME');
  return event?.timestampMs ?? Date.now();
}

/** @throws KedgeError `peer-refused` when the copy is not complete in time: it must not run */
async function waitUntilLoaded(node: NodeContext, vmid: Vmid, qmp: QmpConnection): Promise<void> {
  const after = qmp.lastSequence;
  const { view } = await lookAtGuest(node, vmid);
  if (view.qemu === 'loaded') return;
  if (view.qemu === 'inmigrate') {
    await qmp.waitForEvent(isMigrationEvent('completed'), { after, timeoutMs: LOADED_TIMEOUT_MS }).catch(() => undefined);
    if ((await lookAtGuest(node, vmid)).view.qemu === 'loaded') return;
  }
  throw new KedgeError('peer-refused', `Cannot let guest ${vmid} go: its copy is ${view.qemu}, not loaded`);
}

async function readOwnRecord(node: NodeContext, ref: HandOverRef): Promise<OwnershipRecord | null> {
  const view = await node.records.read(ref.vmid);
  if (view.kind === 'unreadable') throw new KedgeError('peer-refused', `Cannot act for guest ${ref.vmid}: ${view.reason}`);
  return view.kind === 'record' ? view.record : null;
}

function isOf(record: OwnershipRecord, ref: HandOverRef): boolean {
  return record.generation === ref.generation && record.migrationId === ref.migrationId && record.peer === ref.from;
}

function refused(what: string, ref: HandOverRef, record: OwnershipRecord | null): KedgeError {
  const state = record === null ? 'no record' : `${record.state}(${record.generation})`;
  return new KedgeError('peer-refused', `Cannot ${what} guest ${ref.vmid} as ${ref.migrationId}: current record is ${state}`, { details: { state } });
}
