/**
 * One opening of a maintenance window, `maintenance-<window>-<time>`, started by its schedule, which lets no two of a window run at once.
 * Each node is a child of its own (maintain-node.ts). The end stands fixed from the scheduled time on, however late this began.
 */
import { defineSearchAttributeKey, SearchAttributeType, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, condition, isCancellation, ParentClosePolicy, startChild, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { NodeName } from '../src/domain/ids.js';
import { readFailure } from '../src/domain/read-failure.js';
import { inBrief, isMissed, nextRollStep, roundAfter, roundBefore } from '../src/domain/window/roll.js';
import type { NodeOutcome, ScheduledWindow, WindowReport } from '../src/domain/window/window.js';
import { upkeepWorkflowId, WORKFLOW_TYPES } from '../src/domain/workflow-names.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import type { maintainNode, MaintainNodeInput } from './maintain-node.js';
import { onControl } from './on-node.js';
import { instantMs, workflowInstant, workflowTimeMs } from './workflow-time.js';

export interface MaintainNodesInput extends ScheduledWindow {
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

const SCHEDULED_AT = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** Workflow type `maintainNodes`. */
export async function maintainNodes(input: MaintainNodesInput): Promise<WindowReport> {
  const timings = withTimings(input.timings);
  const { file, skipped, revision } = input;
  const { definition, nodes, openSince, warning } = await onControl(timings).openWindow({ file, skipped, revision });
  const { typedSearchAttributes, startTime } = workflowInfo();
  const dueMs = (typedSearchAttributes.get(SCHEDULED_AT) ?? startTime).getTime();
  // After an outage this is the first of those that came due in it, and the server has dropped the others.
  const opensMs = openSince == null ? dueMs : Math.max(dueMs, instantMs(openSince));
  const closesMs = opensMs + definition.durationMs;
  const before = roundBefore(previousReport(), nodes);
  let outcomes: readonly NodeOutcome[] = [];
  let atWork: readonly NodeName[] = [];
  let isCancelled = false;

  const report = (end: WindowReport['end']): WindowReport => {
    const round = roundAfter(before, outcomes, definition.onFailure);
    return { window: definition.name, opensAt: at(opensMs), closesAt: at(closesMs), end, outcomes, atWork, ...round, warning };
  };
  const closed = (end: WindowReport['end']): WindowReport => {
    const last = report(end);
    upsertMemo({ window: last });
    return last;
  };
  if (isMissed(definition, { opensMs, nowMs: workflowTimeMs() })) return closed('missed');

  const children = new CancellationScope();
  void CancellationScope.current().cancelRequested.catch(() => {
    isCancelled = true;
    children.cancel();
  });
  return CancellationScope.nonCancellable(async () => {
    for (;;) {
      const state = { nodes, ...before, outcomes, atWork, nowMs: workflowTimeMs(), closesMs, isCancelled };
      const step = nextRollStep(definition, state);
      if (step.do === 'end') return closed(step.end);
      for (const node of step.nodes) {
        atWork = [...atWork, node];
        void maintain(node).then((outcome) => {
          outcomes = [...outcomes, inBrief(outcome)];
          atWork = atWork.filter((other) => other !== node);
        });
      }
      const seen = outcomes.length;
      upsertMemo({ window: report(null) });
      // The end of the window needs no timer: whatever is begun after it is refused by nextRollStep, and what runs is waited for.
      await condition(() => outcomes.length > seen);
    }
  });

  /** Abandoned when this is ended by force: what is under way on a node comes to its end, and keeps others away until then. */
  async function maintain(node: NodeName): Promise<NodeOutcome> {
    const args: MaintainNodeInput = {
      window: definition.name,
      node,
      closesAt: at(closesMs),
      work: definition.work,
      healthCheck: definition.healthCheck,
      force: definition.force,
      parallel: definition.parallel,
      restore: definition.restore,
      ...(input.timings === undefined ? {} : { timings: input.timings }),
    };
    const failed = (result: NodeOutcome['result'], reason: string): NodeOutcome => ({ node, result, reason, output: null });
    try {
      return await children.run(async () => {
        const child = await startChild<typeof maintainNode>(WORKFLOW_TYPES.maintainNode, {
          workflowId: upkeepWorkflowId(node),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          parentClosePolicy: ParentClosePolicy.ABANDON,
          args: [args],
        });
        return child.result();
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return failed('busy', 'Another window is at work on the node');
      if (isCancellation(error)) return failed('cancelled', 'Cancelled before anything was done');
      return failed('failed', readFailure(error).message);
    }
  }
}

/** What the last opening of this window answered; the schedule hands it on. Null for the first one. */
function previousReport(): WindowReport | null {
  const { lastResult } = workflowInfo();
  return isReport(lastResult) ? lastResult : null;
}

function isReport(value: unknown): value is WindowReport {
  return typeof value === 'object' && value !== null && 'finished' in value && Array.isArray(value.finished);
}

const at = (instant: number): string => workflowInstant(instant - workflowTimeMs());
