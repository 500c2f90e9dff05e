/**
 * The policy loop, `balancer`: looks again and again how busy nodes and guests are, remembers it, and begins a balance when one is due. Control workers start it where
 * kedge.yaml wants it; it ends when that does not any more. What it remembers is carried from run to run.
 *
 * It never waits for the round that it began: `balance` is the mutex of rounds, and the next looks go on meanwhile.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { continueAsNew, ParentClosePolicy, sleep, startChild, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { BalanceClusterInput, BalancerNote } from '../src/domain/balance/balance.js';
import { NEW_BALANCER, type BalancerState } from '../src/domain/balance/judge-cluster.js';
import { readFailure } from '../src/domain/read-failure.js';
import { BALANCE_ID, WORKFLOW_TYPES } from '../src/domain/workflow-names.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import type { balanceCluster } from './balance-cluster.js';
import { onControl } from './on-node.js';
import { workflowInstant } from './workflow-time.js';

export interface BalancerInput {
  /** From the run before. */
  readonly carried?: BalancerState;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** After a look that failed, the control worker's own retries aside. */
const AFTER_FAILURE_MS = 300_000;

/** Workflow type `balancer`. */
export async function balancer(input: BalancerInput): Promise<void> {
  const control = onControl(withTimings(input.timings));
  let state = input.carried ?? NEW_BALANCER;
  for (;;) {
    let pauseMs = AFTER_FAILURE_MS;
    try {
      const look = await control.watchBalance({ state, now: workflowInstant() });
      if (look.off) return;
      state = look.state;
      pauseMs = look.intervalMs;
      note(state, look.text);
      if (look.round !== null) await beginRound(input, look.round);
    } catch (error) {
      note(state, `could not look: ${readFailure(error).message}`);
    }
    await sleep(pauseMs);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof balancer>({ ...input, carried: state });
  }
}

function note({ cooling }: BalancerState, text: string): void {
  upsertMemo({ balancer: { at: workflowInstant(), text, cooling: cooling.length } satisfies BalancerNote });
}

async function beginRound({ timings }: BalancerInput, round: BalanceClusterInput): Promise<void> {
  try {
    await startChild<typeof balanceCluster>(WORKFLOW_TYPES.balanceCluster, {
      workflowId: BALANCE_ID,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
      // That of src/client/control-start.ts.
      workflowTaskTimeout: '3 seconds',
      args: [{ ...round, ...(timings === undefined ? {} : { timings }) }],
      memo: { requestedBy: round.requestedBy ?? '' },
      staticSummary: 'Even out how full nodes are',
    });
  } catch (error) {
    // Somebody else has begun one since the look.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
