import type { CopyResult } from '../../../activities/interface.js';
import type { ErrorCode } from '../../../src/domain/error-codes.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { greetPeer } from '../../../src/drivers/peer/compare-protocol.js';
import type { PeerChannel } from '../../../src/drivers/peer/open-peer-channel.js';
import type { StepClaim } from '../journal/step-journal.js';
import { findGuestProcess } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { settleMigration } from '../recovery/settle-migration.js';
import { CopyMeter } from './copy-meter.js';
import type { CopyTask, RunningCopy } from './copy-task.js';
import { keepLease } from './keep-lease.js';
import { startOrAttachStream } from './start-stream.js';
import { stageSourceRecords, switchOver, type FinishedSwitchover, type SourceStages } from './switch-over.js';
import { watchUntilPaused } from './watch-stream.js';

/** How long a paused guest waits for a lost channel to the target, before the switchover is called off. */
const CHANNEL_TIMEOUT_MS = 3_000;
const LOST_CONTACT: readonly ErrorCode[] = ['qmp-disconnected', 'qmp-timeout', 'qmp-busy'];

/**
 * Copies the guest's RAM while it runs, and switches over: the activity `copyAndSwitchOver` (activities/interface.ts says what
 * its answers and errors promise). Resumable: an attempt that finds anything but `owned(g)` claimed by this migration settles
 * what the lost attempt left.
 */
export async function copyAndSwitchOver(node: NodeContext, task: CopyTask): Promise<CopyResult> {
  const { vmid } = task.step;
  return node.copies.during(vmid, async () => {
    const claim = await node.steps.claim(task.step, task.attempt);
    const view = await node.records.read(vmid);
    if (view.kind !== 'record' || !isClaimedBy(view.record, task)) return resultOfSettlement(node, task, 'forward');
    const fencedTask = { ...task, signal: AbortSignal.any([task.signal, claim.fenced]) };
    try {
      return await copyClaimed(node, fencedTask, { claim, record: view.record });
    } catch (error) {
      return await afterFailure(node, fencedTask, error);
    }
  });
}

async function copyClaimed(node: NodeContext, task: CopyTask, held: { claim: StepClaim; record: OwnershipRecord }): Promise<CopyResult> {
  const { vmid } = task.step;
  const qmp = await node.monitors.of(vmid);
  const eventsFrom = qmp.lastSequence;
  const met = await meetTargetEarly(node, task);
  const entry = await startOrAttachStream(node, task, qmp);
  node.lostContact.isBack(vmid);
  const copy: RunningCopy = { task, ...held, qmp, eventsFrom, reattached: entry.reattached, limits: entry.limits };
  const meter = new CopyMeter(entry.rounds);
  const stages = await stageSourceRecords(node, held.record);
  const renewal = keepLease(node, task);
  try {
    await watchUntilPaused(node, copy, meter);
    const switchoverAt = new Date().toISOString();
    const expected = meter.expectedBlackoutMs;
    task.report(meter.progress('switchover', copy.reattached));
    const finished = await handOver(node, copy, { stages, met });
    if (finished === 'in-doubt') return await resultOfSettlement(node, task, 'forward');
    if (finished === 'target-silent') return await resultOfSettlement(node, task, 'back');
    meter.finalPassEnded(finished.ended);
    return {
      rounds: meter.rounds,
      bytesSent: meter.bytesSent,
      reattached: copy.reattached,
      expectedBlackoutMs: Number.isFinite(expected) ? Math.round(expected) : 0,
      blackout: finished.blackout,
      switchoverAt,
      switchoverMs: finished.switchoverMs,
      confirmed: true,
    };
  } finally {
    clearInterval(renewal);
    await stages.releasing.discard();
    await stages.released.discard();
  }
}

/** The switchover under the guest's lock. What ends otherwise than finished is settled outside of it. */
async function handOver(
  node: NodeContext,
  copy: RunningCopy,
  means: { stages: SourceStages; met: Meeting | null },
): Promise<FinishedSwitchover | 'in-doubt' | 'target-silent'> {
  const { task } = copy;
  return node.locks.withLock(task.step.vmid, async () => {
    // The staged records replace whatever is there: it must still be what they were made from.
    const view = await node.records.read(task.step.vmid);
    if (view.kind !== 'record' || !isClaimedBy(view.record, task)) return 'in-doubt';
    let met = means.met;
    if (met === null || met.channel.isClosed) {
      try {
        met = await meetAgain(node, task);
      } catch (error) {
        // Its worker was replaced in the middle of the copy. Nothing is armed yet, so the guest goes on here at once, and is told why.
        if (error instanceof KedgeError && error.code === 'protocol-mismatch') throw error;
        node.log.warn({ ...task.step, error }, 'the target does not answer, the switchover is called off');
        return 'target-silent';
      }
    }
    try {
      return await switchOver(copy, { stages: means.stages, ...met });
    } catch (error) {
      if (error instanceof KedgeError && error.code === 'stale-claim') throw error;
      node.log.warn({ ...task.step, error }, 'the switchover ended in doubt, settling');
      return 'in-doubt';
    }
  });
}

/**
 * Before `migrate-continue` the guest runs on here whatever happens: the stream is cancelled and the error told.
 * Two exceptions: a worker that shuts down, and an attempt that was fenced, leave the stream alone for the next attempt.
 */
async function afterFailure(node: NodeContext, task: CopyTask, error: unknown): Promise<never> {
  const code = error instanceof KedgeError ? error.code : null;
  if (code === null || code === 'stale-claim' || code === 'worker-stopping' || code === 'rolled-back') throw error;
  if (LOST_CONTACT.includes(code)) {
    // Says nothing about the stream: the next attempt attaches to it again. Unless there is nothing left to attach to.
    if (findGuestProcess(node, task.step.vmid) !== null) throw node.lostContact.isTooLong(task.step) ? silentForGood(task, error) : error;
    await rollBack(node, task, error);
    throw new KedgeError('stream-failed', `Cannot go on with the copy: guest ${task.step.vmid} has ended`, { cause: error });
  }
  await rollBack(node, task, error);
  if (code === 'protocol-mismatch' && error instanceof KedgeError) {
    throw new KedgeError('rolled-back', `Cannot hand guest ${task.step.vmid} over: it stays here. ${error.message}`, { cause: error, details: error.details });
  }
  throw error;
}

/** Ends the repetition: the workflow then settles, which needs both nodes, and asks the operator when they don't get there. */
function silentForGood(task: CopyTask, cause: unknown): KedgeError {
  return new KedgeError('outcome-unknown', `Cannot go on with the copy: the monitor of guest ${task.step.vmid} has been silent for too long`, { cause });
}

/**
 * @throws KedgeError `outcome-unknown` or `needs-operator` when it can't be settled, `internal` when the target owns the guest,
 *   `rolled-back` when the guest had ended: it was started from its disk, or it is off by its own will
 */
async function rollBack(node: NodeContext, task: CopyTask, error: unknown): Promise<void> {
  const settled = await settleMigration(node, { step: task.step, source: node.node, target: task.target, direction: 'back' });
  if (settled.outcome === 'target-owns') throw new KedgeError('internal', `Cannot roll guest ${task.step.vmid} back: the target owns it`, { cause: error });
  if (await hasShutDown(node, task)) throw shutDownOnTheWay(task, error);
  if (settled.memoryLost) {
    throw new KedgeError('rolled-back', `Cannot go on with the copy: guest ${task.step.vmid} had ended here, it was started from its disk`, {
      cause: error,
      details: { memoryLost: true },
    });
  }
}

/** Its own system has switched it off (note-shutdown.ts), under this claim or since: what only runs can be moved live. */
async function hasShutDown(node: NodeContext, { step }: CopyTask): Promise<boolean> {
  const view = await node.records.read(step.vmid);
  return view.kind === 'record' && view.record.state === 'owned' && view.record.wanted === 'stopped';
}

function shutDownOnTheWay({ step }: CopyTask, cause?: unknown): KedgeError {
  return new KedgeError('rolled-back', `Cannot go on with the copy: guest ${step.vmid} has shut itself down, it stays off here`, {
    details: { isOff: true },
    ...(cause === undefined ? {} : { cause }),
  });
}

async function resultOfSettlement(node: NodeContext, task: CopyTask, direction: 'forward' | 'back'): Promise<CopyResult> {
  const settled = await settleMigration(node, { step: task.step, source: node.node, target: task.target, direction });
  if (settled.outcome === 'source-owns') {
    if (await hasShutDown(node, task)) throw shutDownOnTheWay(task);
    throw new KedgeError('rolled-back', `Cannot hand guest ${task.step.vmid} over: it stays here, ${settled.reason}`, {
      details: { memoryLost: settled.memoryLost },
    });
  }
  const entry = await node.streams.read(task.step.vmid, task.step.migrationId);
  return {
    rounds: entry?.rounds ?? [],
    bytesSent: 0,
    reattached: entry?.reattached ?? 0,
    expectedBlackoutMs: 0,
    blackout: settled.blackout ?? { stopToResumeMs: 0, qemuDowntimeMs: 0 },
    switchoverAt: new Date().toISOString(),
    switchoverMs: 0,
    confirmed: false,
  };
}

/** The channel that the switchover will use, and by how much the target's clock is ahead of ours. */
interface Meeting {
  readonly channel: PeerChannel;
  readonly clockOffsetMs: number;
}

/** Null when the target's worker is silent while our stream runs: the copy goes on, the switchover will ask again. */
async function meetTargetEarly(node: NodeContext, task: CopyTask): Promise<Meeting | null> {
  try {
    return await meetTarget(node, task);
  } catch (error) {
    const isOurs = (await node.streams.read(task.step.vmid, task.step.migrationId)) !== null;
    if (!(error instanceof KedgeError)) throw error;
    const reason = error.code === 'protocol-mismatch' ? error.message : `the worker of ${task.target} does not answer`;
    if (!isOurs) throw new KedgeError('stream-failed', `Cannot copy guest ${task.step.vmid}: ${reason}`, { cause: error });
    node.log.warn({ ...task.step, error }, 'the target does not answer, the copy goes on');
    return null;
  }
}

async function meetTarget(node: NodeContext, task: CopyTask): Promise<Meeting> {
  const channel = await node.peers.channel(task.target);
  const sent = wallClockMs();
  const answer = await crashPoint('source.hello-message', () => greetPeer(channel, node, { timeoutMs: CHANNEL_TIMEOUT_MS }));
  const roundTripMs = wallClockMs() - sent;
  return { channel, clockOffsetMs: answer.clockMs - (sent + roundTripMs / 2) };
}

/** Wall clock with fractions of a millisecond. */
function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Inside the blackout: the guest stands still meanwhile, so this may take only so long. */
async function meetAgain(node: NodeContext, task: CopyTask): Promise<Meeting> {
  return Promise.race([
    meetTarget(node, task),
    new Promise<never>((_resolve, reject) => {
      setTimeout(() => {
        reject(new KedgeError('peer-unreachable', `Cannot reach ${task.target} for the switchover in ${CHANNEL_TIMEOUT_MS} ms`));
      }, CHANNEL_TIMEOUT_MS).unref();
    }),
  ]);
}

function isClaimedBy(record: OwnershipRecord, task: CopyTask): boolean {
  return record.state === 'owned' && record.migrationId === task.step.migrationId && record.generation + 1 === task.step.generation;
}
