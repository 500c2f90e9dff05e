import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { HookAnswer } from '../../activities/interface-control.js';
import type { ClusterEvent } from '../domain/events/event.js';
import { formatDuration } from '../domain/format-duration.js';
import { KedgeError } from '../domain/kedge-error.js';
import { deliveryWorkflowId, hookTestWorkflowId, hookWorkflowId, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { clientError, withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import type { ClientContext } from './kedge-client.js';

/** Telling others of events. */
export interface HookVerbs {
  /** Since when the cluster knows a hook of this name, RFC 3339: since this call, if it is new. */
  knownSince(hook: string): Promise<string>;
  /** Has a hook told of an event, for a day if need be. Resolves when that is sure; fine when it was begun before, by whomever. */
  deliver(delivery: { readonly hook: string; readonly event: ClusterEvent }): Promise<void>;
  /** Tells a hook of a test event, by a control worker, once; answers what came back. @throws KedgeError `hook-failed`, also when no control worker does */
  test(hook: string, by: string, options?: { readonly longestMs?: number }): Promise<HookAnswer>;
}

/** One attempt, and the time to find a control worker. */
const LONGEST_TEST_MS = 120_000;

/** The verbs over one connected client. */
export function hookVerbs({ client }: ClientContext): HookVerbs {
  return {
    knownSince: (hook) =>
      withClientErrors(`note hook ${hook}`, async () => {
        const options = { ...CONTROL_START, workflowId: hookWorkflowId(hook), workflowIdConflictPolicy: 'USE_EXISTING', args: [] } as const;
        const handle = await client.workflow.start(WORKFLOW_TYPES.hookMark, { ...options, staticSummary: `Hook ${hook} is told of events since this began` });
        return (await handle.describe()).startTime.toISOString();
      }),
    deliver: async ({ hook, event }) => {
      try {
        await client.workflow.start(WORKFLOW_TYPES.deliverEvent, {
          ...CONTROL_START,
          workflowId: deliveryWorkflowId(hook, event.id),
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
          args: [{ hook, event }],
          memo: { hook, eventId: event.id },
          staticSummary: `Tell hook ${hook}: ${event.kind}`,
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw clientError(`tell hook ${hook}`, error);
      }
    },
    test: (hook, by, { longestMs = LONGEST_TEST_MS } = {}) =>
      withTestErrors({ hook, longestMs }, () => {
        const workflowId = hookTestWorkflowId(hook, randomUUID());
        const event: ClusterEvent = {
          id: workflowId,
          at: new Date().toISOString(),
          kind: 'hook-test',
          text: `This is a test of hook ${hook}, asked for by ${by}`,
          vmid: null,
          nodes: [],
          workflowId,
        };
        return client.workflow.execute<(input: { hook: string; event: ClusterEvent; once: boolean }) => Promise<HookAnswer>>(WORKFLOW_TYPES.deliverEvent, {
          ...CONTROL_START,
          workflowId,
          workflowExecutionTimeout: longestMs,
          args: [{ hook, event, once: true }],
        });
      }),
  };
}

/** What else a control worker that lives answers in time says itself. */
async function withTestErrors<Result>({ hook, longestMs }: { hook: string; longestMs: number }, call: () => Promise<Result>): Promise<Result> {
  try {
    return await withClientErrors(`test hook ${hook}`, call);
  } catch (error) {
    if (!(error instanceof KedgeError) || error.code !== 'outcome-unknown') throw error;
    throw new KedgeError('hook-failed', `Cannot test hook ${hook}: no control worker has told it within ${formatDuration(longestMs)}; check that one runs`, {
      cause: error,
    });
  }
}
