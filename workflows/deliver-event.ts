import { ApplicationFailure } from '@temporalio/workflow';
import type { HookAnswer } from '../activities/interface-control.js';
import type { ClusterEvent } from '../src/domain/events/event.js';
import { readFailure } from '../src/domain/read-failure.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onHooks } from './on-node.js';

export interface DeliverEventInput {
  readonly hook: string;
  readonly event: ClusterEvent;
  /** Try it once, for somebody who waits; otherwise for a day. */
  readonly once?: boolean;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/**
 * Workflow type `deliverEvent`, id `deliver-<hook>.<event id>`, begun once for each event and hook: the id is never used again. The call itself may
 * come more than once: an answer may be lost after the receiver has heard. Secrets are not in here: the activity reads them.
 */
export async function deliverEvent({ hook, event, once, timings }: DeliverEventInput): Promise<HookAnswer> {
  try {
    return await onHooks(withTimings(timings), { once: once === true }).tellHook({ hook, event });
  } catch (error) {
    const { code, message } = readFailure(error);
    throw ApplicationFailure.create({ type: code, message, nonRetryable: true });
  }
}
