/**
 * The entity `admission`: grants migrations their slots, by the rules of src/domain/admission.ts. A holder that died without
 * giving its lease back is found when somebody waits for it.
 */
import { allHandlersFinished, condition, continueAsNew, getExternalWorkflowHandle, setHandler, workflowInfo } from '@temporalio/workflow';
import {
  DEFAULT_SLOT_LIMITS,
  grantSlots,
  releaseSlot,
  requestSlot,
  withoutHolders,
  type SlotLimits,
  type SlotRequest,
  type SlotState,
} from '../src/domain/admission.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { grantedSignal, releaseSlotSignal, requestSlotSignal, slotsQuery } from './messages.js';
import { onControl } from './on-node.js';

export interface AdmissionInput {
  readonly limits?: SlotLimits;
  /** State carried over from the run before. */
  readonly state?: SlotState;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** Workflow type `admission`. Never ends. */
export async function admission(input: AdmissionInput): Promise<never> {
  const timings = withTimings(input.timings);
  let state: SlotState = input.state ?? { limits: input.limits ?? DEFAULT_SLOT_LIMITS, leases: [], waiting: [] };
  let changed = true;

  const change = (next: SlotState): void => {
    changed ||= next !== state;
    state = next;
  };
  setHandler(slotsQuery, () => state);
  setHandler(requestSlotSignal, (request) => change(requestSlot(state, request)));
  setHandler(releaseSlotSignal, (release) => change(releaseSlot(state, release)));

  while (!workflowInfo().continueAsNewSuggested) {
    if (changed) {
      changed = false;
      const { state: next, granted } = grantSlots(state);
      state = next;
      for (const request of granted) void tell(request);
    }
    if (state.waiting.length === 0) {
      await condition(() => changed);
    } else if (!(await condition(() => changed, timings.leaseCheckMs))) {
      const { ended } = await onControl(timings).findEndedHolders({ workflowIds: state.leases.map((lease) => lease.holder) });
      if (ended.length > 0) change(withoutHolders(state, ended));
    }
  }
  await condition(allHandlersFinished);
  return continueAsNew<typeof admission>({ ...input, state });

  /** A holder that can't be told has ended: its lease goes to the next. */
  async function tell(request: SlotRequest): Promise<void> {
    try {
      await getExternalWorkflowHandle(request.holder, request.runId).signal(grantedSignal);
    } catch {
      change(releaseSlot(state, request));
    }
  }
}
