/**
 * The switchover on the source: QEMU has just paused the guest (`pre-switchover`); everything below is the blackout, up to the
 * target's answer. No Temporal, no process start and no new connection inside.
 *
 *   pre-switchover ─┬─ rename+fsync `releasing` ─┐
 *                   ├─ arm, acknowledged fsynced ┼─▶ all three and `postmigrate`+`completed` ─▶ rename `released` ─▶ go
 *                   └─ migrate-continue ─────────┘
 *
 * The races, by number (the full argument is docs/protocol.md):
 * 1. `releasing` or arm fails, QEMU completes: no go was sent, so the source settles backwards: revoke, owned(g+2), cont.
 * 2. QEMU fails by itself (target died, link cut): the source runs again at once; `releasing` forbids nothing that already
 *    happened, settling writes owned(g+2). Go is impossible: `completed` of this attempt was never seen.
 * 3. This worker dies before `released`: no go was sent; recovery finds releasing/owned and postmigrate, hands over or takes back.
 * 4. This worker dies after `released`: go may have been sent; recovery repeats go, or asks the target to revoke.
 * 5. Go's answer is lost: the target may run; the source never resumes without the target's answer to a revocation.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { BlackoutReport } from '../../../src/domain/migration.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { isSabotaged } from '../../../src/drivers/host/sabotage.js';
import type { StagedFile } from '../../../src/drivers/host/durable-file.js';
import type { PeerChannel } from '../../../src/drivers/peer/open-peer-channel.js';
import { continueSwitchover } from '../../../src/drivers/qemu/migration-commands.js';
import type { MigrationInfo } from '../../../src/drivers/qemu/migration-info.js';
import { readQemuState } from '../../../src/drivers/qemu/read-qemu-state.js';
import type { NodeContext } from '../node-context.js';
import type { RunningCopy } from './copy-task.js';
import { waitForFinalPass } from './wait-for-final-pass.js';

const ARM_TIMEOUT_MS = 5_000;
const GO_TIMEOUT_MS = 10_000;
const LOOK_AGAIN_MS = 2;
const LOOKS = 500;

/** The next two records of the source, written and fsynced before the guest is paused. */
export interface SourceStages {
  readonly releasing: StagedFile;
  readonly released: StagedFile;
}

/** Writes both records beside the present one. */
export async function stageSourceRecords(node: NodeContext, record: OwnershipRecord): Promise<SourceStages> {
  const { migrationId, peer } = record;
  if (migrationId === undefined || peer === undefined)
    throw new KedgeError('internal', `Cannot stage the hand-over of guest ${record.vmid}: its record is not claimed`);
  const next = { ...record, migrationId, peer, bootId: node.bootId };
  const stages: StagedFile[] = [];
  return crashPoint('source.stage-records', async () => {
    for (const stage of stages.splice(0)) await stage.discard();
    const staged = { releasing: await node.records.stage({ ...next, state: 'releasing' }), released: await node.records.stage({ ...next, state: 'released' }) };
    stages.push(staged.releasing, staged.released);
    return staged;
  });
}

export interface FinishedSwitchover {
  readonly blackout: BlackoutReport;
  readonly switchoverMs: number;
  /** What QEMU says of the finished stream. */
  readonly ended: MigrationInfo;
}

/**
 * Hands the paused guest over. The caller holds the guest's lock.
 * @throws KedgeError when the hand-over did not happen or its outcome is not known: the caller settles
 */
export async function switchOver(copy: RunningCopy, means: { stages: SourceStages; channel: PeerChannel; clockOffsetMs: number }): Promise<FinishedSwitchover> {
  const { qmp, task, claim } = copy;
  const began = performance.now();
  const ref = { vmid: task.step.vmid, migrationId: task.step.migrationId, generation: task.step.generation };
  const after = qmp.lastSequence;
  const stoppedAtMs = stopTime(copy) ?? Date.now();
  claim.assertCurrent();
  const finalPass = waitForFinalPass(qmp, after);
  // A rejection is looked at below, when all of them have settled.
  finalPass.catch(() => undefined);
  const prepared = await Promise.allSettled([
    crashPoint('source.releasing-record', async () => {
      await means.stages.releasing.commit();
      await means.stages.releasing.syncFolder();
    }),
    crashPoint('source.arm-message', () => means.channel.call('arm', ref, { timeoutMs: ARM_TIMEOUT_MS })),
    crashPoint('source.continue', () => continueSwitchover(qmp)),
  ]);
  const failed = prepared.find((result) => result.status === 'rejected');
  if (failed !== undefined)
    throw new KedgeError('outcome-unknown', `Cannot hand guest ${ref.vmid} over: the switchover could not be prepared`, { cause: failed.reason });
  if (!isSabotaged('early-go')) await finalPass;
  const ended = await crashPoint('source.completed-seen', () => assertCompleted(copy));
  await crashPoint('source.released-record', () => means.stages.released.commit());
  const { resumedAtMs } = await crashPoint('source.go-message', () => means.channel.call('go', ref, { timeoutMs: GO_TIMEOUT_MS }));
  await crashPoint('source.released-sync', () => means.stages.released.syncFolder());
  return {
    blackout: { stopToResumeMs: round(resumedAtMs - means.clockOffsetMs - stoppedAtMs), qemuDowntimeMs: ended.downtimeMs ?? 0 },
    switchoverMs: round(performance.now() - began),
    ended,
  };
}

/** Go needs the runstate too: a status alone is sticky and may be an older attempt's. */
async function assertCompleted(copy: RunningCopy): Promise<MigrationInfo> {
  let reading = await readQemuState(copy.qmp, 'source');
  if (isSabotaged('early-go')) return reading.migration;
  // QEMU reports `completed` a moment before its runstate follows.
  for (let looks = 1; looks < LOOKS && reading.state === 'device' && reading.migration.status === 'completed'; looks += 1) {
    await delay(LOOK_AGAIN_MS);
    reading = await readQemuState(copy.qmp, 'source');
  }
  const { state, migration } = reading;
  if (state === 'postmigrate' && migration.status === 'completed') return migration;
  throw new KedgeError('outcome-unknown', `Cannot hand guest ${copy.task.step.vmid} over: the stream ended as ${migration.status}, QEMU is ${state}`, {
    details: { status: migration.status, state, reason: migration.errorDesc },
  });
}

/** When QEMU stopped the vCPUs, by this node's clock; null for a guest that was paused before. */
function stopTime(copy: RunningCopy): number | null {
  return copy.qmp.eventsSince(0).findLast((event) => event.name === 'STOP')?.timestampMs ?? null;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
