/**
 * Follows the RAM stream from its start until QEMU has paused the guest for the switchover. Events drive it; a slow timer
 * reads the counters, for which QEMU has no event.
 */
import { ITERATING_LIMIT_MS, judgeConvergence, STALL_WINDOW_MS } from '../../../src/domain/convergence.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { raiseDowntimeLimit } from '../../../src/drivers/qemu/migration-commands.js';
import { readMigrationInfo } from '../../../src/drivers/qemu/read-qemu-state.js';
import type { QmpEvent } from '../../../src/drivers/qmp/qmp-connection.js';
import type { NodeContext } from '../node-context.js';
import type { CopyMeter } from './copy-meter.js';
import type { RunningCopy } from './copy-task.js';
import { Hold } from './hold.js';
import { StreamNiceness } from './stream-niceness.js';

/** A dead link looks `active`, its counters just stand still: QEMU itself gives up only with TCP, after many minutes. */
const STALL_TIMEOUT_MS = 40_000;
const ENDED = ['failed', 'cancelled'];

/**
 * Returns once QEMU reports `pre-switchover`: the guest stands still, the blackout has begun (a paused guest just stands).
 * Or `completed`: local recovery was quicker than this attempt of a restarted worker, and is handing the guest over.
 * @throws KedgeError `stream-failed`, `stream-stalled`, `not-converging`, `deadline-exceeded`, or the reason of the signal;
 *   the stream is then still as it is: the caller cancels or leaves it
 */
export async function watchUntilPaused(node: NodeContext, copy: RunningCopy, meter: CopyMeter): Promise<void> {
  const { qmp, task } = copy;
  const hold = new Hold(node, copy, meter);
  const niceness = new StreamNiceness(node, copy);
  let seen = copy.eventsFrom;
  let limitMs = ITERATING_LIMIT_MS;
  for (;;) {
    task.signal.throwIfAborted();
    copy.claim.assertCurrent();
    // The events first: one that comes while the state is read is then new, and ends the wait below at once.
    const events = qmp.eventsSince(seen);
    seen = events.at(-1)?.sequence ?? seen;
    const info = await readMigrationInfo(qmp);
    meter.update(info);
    if (info.status === 'pre-switchover') {
      niceness.restore();
      await hold.assertNotHeld();
      return;
    }
    if (info.status === 'completed') return;
    if (ENDED.includes(info.status))
      throw new KedgeError(
        'stream-failed',
        `Cannot copy guest ${task.step.vmid}: the stream is ${info.status}${info.errorDesc === null ? '' : `, ${info.errorDesc}`}`,
      );
    for (const event of events) {
      if (event.name === 'MIGRATION_PASS') meter.passBegins(passOf(event), info);
    }
    niceness.update(meter);
    const holding = await hold.update();
    if (!holding) limitMs = await raiseIfConverged(copy, meter, limitMs);
    task.report(meter.progress(holding ? 'holding' : 'pre-copy', copy.reattached));
    if (!holding) assertInTime(copy, meter, hold.heldMs);
    assertMoving(meter);
    await nextEvent(copy, { seen, timeoutMs: hold.readIntervalMs });
  }
}

/** Lets QEMU finish when another pass would not shorten the pause. Answers the limit now in force, in milliseconds. */
async function raiseIfConverged(copy: RunningCopy, meter: CopyMeter, limitMs: number): Promise<number> {
  const { options } = copy.task;
  const decision = judgeConvergence(meter.readings, {
    maxDowntimeMs: copy.limits.maxDowntimeMs,
    onStall: options.onStall,
    stallWindowMs: STALL_WINDOW_MS,
  });
  switch (decision.do) {
    case 'iterate':
      return limitMs;
    case 'give-up':
      throw new KedgeError('not-converging', `Cannot finish the copy within the allowed pause: ${decision.reason}`);
    case 'raise-limit':
      if (decision.limitMs > limitMs) await crashPoint('source.downtime-raised', () => raiseDowntimeLimit(copy.qmp, decision.limitMs));
      return Math.max(decision.limitMs, limitMs);
  }
}

/** The time of a hold does not count. */
function assertInTime(copy: RunningCopy, meter: CopyMeter, heldMs: number): void {
  const { deadline } = copy.task;
  if (deadline !== null && Date.now() > Date.parse(deadline) + heldMs) {
    throw new KedgeError('deadline-exceeded', `Cannot finish the copy in time: the deadline ${deadline} has passed with ${meter.bytesLeft} bytes left`);
  }
}

function assertMoving(meter: CopyMeter): void {
  if (meter.stillForMs > STALL_TIMEOUT_MS) {
    throw new KedgeError('stream-stalled', `Cannot go on with the copy: not one byte has moved for ${Math.round(meter.stillForMs / 1_000)} s`);
  }
}

/** Waits for the next event of QEMU, at most until the next reading is due. */
async function nextEvent(copy: RunningCopy, { seen, timeoutMs }: { seen: number; timeoutMs: number }): Promise<void> {
  try {
    await copy.qmp.waitForEvent(() => true, { after: seen, timeoutMs, signal: copy.task.signal });
  } catch (error) {
    // No event until the next reading is the normal case; an abort is raised at the top of the loop.
    if (!(error instanceof KedgeError) || error.code === 'qmp-disconnected') throw error;
  }
}

function passOf(event: QmpEvent): number {
  const pass = event.data['pass'];
  return typeof pass === 'number' ? pass : 1;
}
