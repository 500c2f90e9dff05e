/**
 * The profiles that activities run under: timeouts and retries live here and nowhere else.
 *
 * - `ping`: a question. Taken up in time or the node is silent; a few tries.
 * - `settle`: like `ping`, but it acts on the guest, which may mean to start it from its disks.
 * - `idempotent`: looks, then acts; retried within the time of one step.
 * - `resumable`: long, with a heartbeat; every attempt re-attaches to the work in progress.
 * - `urgent`: like `resumable`, but for a guest that is off meanwhile: after some failures it is better started where it was.
 * - `once`: one attempt; a lost answer is *outcome unknown*.
 * - `undo`: like `idempotent`, but without an end: it may have to wait for a node to come back. What follows the commit step runs
 *   under it too, because it may not give up either.
 * - `watch`: waits for something that may never happen, and has no effects: a lost attempt is repeated, a cancelled one is not waited for.
 * - `presence`: never ends; its loss is a fact about the node and must reach the workflow, so it isn't retried below it.
 *
 * All calls to nodes have a heartbeat, by a timer of the worker (activities/node): an attempt whose worker has died is lost within seconds, and one
 * that lives may take its time.
 *
 * - `survey`: short questions to the cluster, run inside the control worker's workflow task (one event, no hop).
 * - `control`: the same where answers may come beside others: each has its event, and so its place in the history.
 */
import { ActivityCancellationType, type ActivityOptions, type LocalActivityOptions } from '@temporalio/workflow';
import type { DEFINITE_COPY_FAILURES } from '../activities/interface.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';

type DefiniteCopyFailure = (typeof DEFINITE_COPY_FAILURES)[number];

/** After these the copy is not tried again by Temporal: the workflow unwinds. A record, so that a new one can't be forgotten. */
const DEFINITE: Readonly<Record<DefiniteCopyFailure, true>> = {
  'stream-failed': true,
  'stream-stalled': true,
  'not-converging': true,
  'deadline-exceeded': true,
  cancelled: true,
  'rolled-back': true,
};

/** With the pauses between them some two minutes, when each fails at once. */
const URGENT_ATTEMPTS = 10;
const LONGEST_COPY = '24 hours';
/** Eight calls of an agent whose timeout is at its limit, with their pauses. */
const LONGEST_FENCE = '90 minutes';
/**
 * What was found out about a node before it is fenced holds for so many times as a node is waited for. Who takes the order up later, because no control worker ran, would cut the
 * power of a node that may be back since.
 */
const ORDER_HOLDS = 2;
/** The node ends a command whose time is over; this is for that to be heard. */
const WORK_GRACE_MS = 90_000;
/** A hook's own limit is a minute at most. */
const LONGEST_TELLING = '90 seconds';
const LONGEST_DELIVERY = '1 day';
const SLOWEST_DELIVERY = '15 minutes';
/** Temporal wants some limit; a node that stays up longer gets a new attempt, which nobody notices. */
const LONGEST_PRESENCE = '365 days';

export interface ActivityProfiles {
  readonly ping: ActivityOptions;
  readonly settle: ActivityOptions;
  readonly idempotent: ActivityOptions;
  readonly resumable: ActivityOptions;
  readonly urgent: ActivityOptions;
  readonly once: ActivityOptions;
  readonly undo: ActivityOptions;
  readonly watch: ActivityOptions;
  readonly presence: ActivityOptions;
  /** A fencing device may take minutes; its call is repeatable, and a dead control worker's goes to the next one. */
  readonly fence: ActivityOptions;
  /** A command on a node, of its own length. One attempt unless it may run twice: a lost answer is *outcome unknown*. */
  readonly work: (limit: { timeoutMs: number; repeatable: boolean }) => ActivityOptions;
  /** Telling a hook: for a day, unless somebody waits for the first attempt. */
  readonly tell: (limit: { once: boolean }) => ActivityOptions;
  /** The questions of `survey`, asked through the control workers' queue. */
  readonly control: ActivityOptions;
  readonly survey: LocalActivityOptions;
}

/**
 * A cancelled call that has effects is waited for: what it says afterwards is what happened. Named although it is the documented
 * default, because SDK 1.24.0 sends nothing when it is absent, and the server's side then reads TRY_CANCEL.
 */
const AWAITED = { cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED } as const;

/** The profiles with these timings. */
export function activityProfiles(timings: WorkflowTimings): ActivityProfiles {
  const backoff = { initialInterval: timings.retryFirstMs, backoffCoefficient: 2, maximumInterval: timings.retryLongestMs };
  const { heartbeatTimeoutMs: heartbeatTimeout } = timings;
  return {
    ping: {
      scheduleToStartTimeout: timings.silentAfterMs,
      startToCloseTimeout: timings.callTimeoutMs,
      heartbeatTimeout,
      retry: { ...backoff, maximumAttempts: 3 },
    },
    settle: {
      scheduleToStartTimeout: timings.silentAfterMs,
      startToCloseTimeout: timings.actTimeoutMs,
      heartbeatTimeout,
      retry: { ...backoff, maximumAttempts: 3 },
    },
    idempotent: {
      ...AWAITED,
      startToCloseTimeout: timings.actTimeoutMs,
      scheduleToCloseTimeout: timings.stepTimeoutMs,
      heartbeatTimeout,
      retry: backoff,
    },
    resumable: {
      ...AWAITED,
      scheduleToStartTimeout: timings.copyQueueMs,
      startToCloseTimeout: LONGEST_COPY,
      heartbeatTimeout,
      retry: { ...backoff, nonRetryableErrorTypes: [...Object.keys(DEFINITE), 'outcome-unknown'] },
    },
    urgent: {
      ...AWAITED,
      scheduleToStartTimeout: timings.stepTimeoutMs,
      startToCloseTimeout: LONGEST_COPY,
      heartbeatTimeout: timings.heartbeatTimeoutMs,
      retry: { ...backoff, maximumAttempts: URGENT_ATTEMPTS },
    },
    once: {
      ...AWAITED,
      scheduleToStartTimeout: timings.silentAfterMs,
      startToCloseTimeout: timings.switchoverTimeoutMs,
      heartbeatTimeout,
      retry: { maximumAttempts: 1 },
    },
    undo: {
      ...AWAITED,
      startToCloseTimeout: timings.actTimeoutMs,
      heartbeatTimeout,
      retry: backoff,
    },
    watch: {
      cancellationType: ActivityCancellationType.TRY_CANCEL,
      startToCloseTimeout: LONGEST_PRESENCE,
      heartbeatTimeout,
      retry: backoff,
    },
    presence: {
      startToCloseTimeout: LONGEST_PRESENCE,
      heartbeatTimeout,
      retry: { maximumAttempts: 1 },
    },
    fence: {
      scheduleToStartTimeout: ORDER_HOLDS * timings.silentAfterMs,
      startToCloseTimeout: LONGEST_FENCE,
      heartbeatTimeout,
      retry: { ...backoff, maximumAttempts: 3 },
    },
    work: ({ timeoutMs, repeatable }) => ({
      ...AWAITED,
      startToCloseTimeout: timeoutMs + WORK_GRACE_MS,
      heartbeatTimeout,
      retry: { ...backoff, maximumAttempts: repeatable ? 3 : 1 },
    }),
    tell: ({ once }) => ({
      startToCloseTimeout: LONGEST_TELLING,
      scheduleToCloseTimeout: LONGEST_DELIVERY,
      heartbeatTimeout,
      retry: once ? { maximumAttempts: 1 } : { ...backoff, maximumInterval: SLOWEST_DELIVERY },
    }),
    control: {
      startToCloseTimeout: timings.callTimeoutMs,
      heartbeatTimeout,
      // One more than in place: the death of its worker ends an attempt here.
      retry: { ...backoff, maximumAttempts: 6 },
    },
    survey: {
      startToCloseTimeout: timings.callTimeoutMs,
      retry: { ...backoff, maximumAttempts: 5 },
    },
  };
}

/** Did the source say for sure that it owns and runs the guest as before? */
export function isDefiniteCopyFailure(code: string): code is DefiniteCopyFailure {
  return Object.hasOwn(DEFINITE, code);
}
