/**
 * The entity `admission`: grants migrations their slots, by the rules of src/domain/admission.ts. A holder that died without
 * giving its lease back is found soon when somebody waits for it, else after a while. Without a lease nothing is looked for.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import {
  changeLimits,
  findLease,
  grantSlots,
  openSlots,
  releaseSlot,
  requestSlot,
  withoutHolders,
  type SlotRequest,
  type SlotState,
} from '../src/domain/admission.js';
import type { LimitSettings } from '../src/domain/admission-limits.js';
import { needsLeastShare } from '../src/domain/admission-use.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import { readLimitChange } from '../src/domain/read-limit-change.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { grantedSignal, releaseSlotSignal, requestSlotSignal, setLimitsUpdate, slotsQuery } from './messages.js';
import { onControlQueue } from './on-node.js';
import { checksHoldersOnTime, checksLeasesOnTime, keepsLeastShare, repeatsGrants } from './patches.js';
import { workflowInstant, workflowTimeMs } from './workflow-time.js';

export interface AdmissionInput {
  /** Of kedge.yaml, as whoever starts the entity knows them. */
  readonly limits?: LimitSettings;
  /** State carried over from the run before. */
  readonly state?: SlotState;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** Workflow type `admission`. Never ends. */
export async function admission(input: AdmissionInput): Promise<never> {
  const timings = withTimings(input.timings);
  const control = onControlQueue(timings);
  let state = openSlots(input);
  let changed = true;
  let checkAtMs = workflowTimeMs() + timings.leaseCheckMs;
  /** Grants on their way: the server drops those of a run that has ended. */
  let telling = 0;
  /** Is a look at all leases due, however quiet it is? */
  let isLookDue = false;

  const change = (next: SlotState): void => {
    changed ||= next !== state;
    state = next;
  };
  setHandler(slotsQuery, () => state);
  setHandler(requestSlotSignal, (request) => {
    const lease = findLease(state, request);
    if (lease === undefined) change(requestSlot(state, request));
    // Whoever asks again has not heard of its grant.
    else if (repeatsGrants()) void tell(lease);
  });
  setHandler(releaseSlotSignal, (release) => change(releaseSlot(state, release)));
  // At once: the main loop grants with the new limits before this task ends.
  setHandler(
    setLimitsUpdate,
    (wanted) => {
      change(changeLimits(state, wanted, workflowInstant()));
      return { limits: state.limits };
    },
    { validator: refuseBadChange },
  );

  while (!workflowInfo().continueAsNewSuggested) {
    if (changed) {
      changed = false;
      const { state: next, granted } = grant();
      state = next;
      for (const request of granted) void tell(request);
      if (state.leases.length > 0 && checksLeasesOnTime()) void lookInAWhile();
    }
    if (state.waiting.length === 0) {
      await condition(() => changed);
      continue;
    }
    const isQuiet = !(await condition(() => changed, Math.max(1, checkAtMs - workflowTimeMs())));
    // Where something always happens it is never quiet.
    if (isQuiet || (workflowTimeMs() >= checkAtMs && checksHoldersOnTime())) {
      checkAtMs = workflowTimeMs() + timings.leaseCheckMs;
      await freeEndedHolders();
    }
  }
  await condition(() => allHandlersFinished() && telling === 0);
  return continueAsNew<typeof admission>({ ...input, state });

  function grant(): ReturnType<typeof grantSlots> {
    const { leases, waiting, limits } = state;
    const isSmall = needsLeastShare([...leases, ...waiting], limits);
    return grantSlots(state, isSmall && !keepsLeastShare() ? { leastShare: 0 } : {});
  }

  /** One timer for all leases, however many come and go meanwhile; none while there is no lease. */
  async function lookInAWhile(): Promise<void> {
    if (isLookDue) return;
    isLookDue = true;
    while (state.leases.length > 0) {
      await sleep(timings.quietLeaseCheckMs);
      // Whoever waits has them looked at more often.
      if (state.leases.length > 0 && state.waiting.length === 0) await freeEndedHolders();
    }
    isLookDue = false;
  }

  /** Runs, not holders: a later run of the same migration may have asked meanwhile. */
  async function freeEndedHolders(): Promise<void> {
    const runs = state.leases.map(({ holder, runId }) => ({ holder, runId }));
    // One that failed is made up for by the next.
    const { ended, endedRuns } = await control.findEndedHolders({ workflowIds: [], runs }).catch(() => ({ ended: [], endedRuns: [] }));
    if (endedRuns !== undefined && endedRuns.length > 0) change(endedRuns.reduce(releaseSlot, state));
    // A history from before holders were told apart by their runs.
    if (ended.length > 0) change(withoutHolders(state, ended));
  }

  /** A holder that can't be told has ended: its lease goes to the next. */
  async function tell(request: SlotRequest): Promise<void> {
    telling += 1;
    try {
      const { bandwidth } = request;
      await getExternalWorkflowHandle(request.holder, request.runId).signal(grantedSignal, bandwidth === undefined ? {} : { bandwidth });
    } catch {
      change(releaseSlot(state, request));
    } finally {
      telling -= 1;
    }
  }
}

/** What is refused leaves no trace in the history. */
function refuseBadChange(wanted: unknown): void {
  try {
    readLimitChange(wanted);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error.details] });
  }
}
