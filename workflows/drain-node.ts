/** What `evacuateNode` and `restoreNode` share: the loop of looking, beginning and waiting. */
import { allHandlersFinished, ApplicationFailure, CancellationScope, condition, continueAsNew, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { DrainState } from '../src/domain/drain/drain-state.js';
import { judgeDrain } from '../src/domain/drain/judge-drain.js';
import type { NextSteps } from '../src/domain/drain/next-steps.js';
import { resolveEvacuation, type ResolvedEvacuation } from '../src/domain/drain/resolve-evacuation.js';
import type { EvacuateNodeInput, EvacuationReport } from '../src/domain/evacuation.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import { readFailure } from '../src/domain/read-failure.js';
import { migrationWorkflowId, vmidOfMigrationWorkflow } from '../src/domain/workflow-names.js';
import { DrainDesk } from './drain-desk.js';
import { beginMove, beginShutDown } from './drain-moves.js';
import { cancelUpdate, evacuationQuery } from './messages.js';
import { instantMs, workflowInstant, workflowTimeMs } from './workflow-time.js';

export interface DrainInput extends EvacuateNodeInput {
  /** State carried over from the run before. */
  readonly carried?: DrainState;
}

/** Runs until nothing more can or may be moved. */
export async function drainNode(plan: EvacuationReport['plan'], input: DrainInput): Promise<EvacuationReport> {
  const desk = new DrainDesk(plan, readInput(input), input.carried);
  setHandler(evacuationQuery, () => desk.report());
  setHandler(cancelUpdate, () => {
    desk.cancel();
    return { cancelled: true as const };
  });
  // Temporal's own cancel means the same: what is under way goes on to its end, and the report is given.
  CancellationScope.current().cancelRequested.catch(() => desk.cancel());
  return CancellationScope.nonCancellable(async () => {
    if (input.carried === undefined) await closeOrOpen(desk);
    const end = await run(desk);
    await condition(allHandlersFinished);
    return end === 'continue' ? continueAsNew<(again: DrainInput) => Promise<EvacuationReport>>({ ...input, carried: desk.state }) : end;
  });
}

function readInput(input: DrainInput): ResolvedEvacuation {
  try {
    return resolveEvacuation(input);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error.details] });
  }
}

/** Before anything else: a node that is to be empty is no target any more, also not of another drain that begins now. */
async function closeOrOpen({ control, order, plan }: DrainDesk): Promise<void> {
  try {
    await control.cordonNode({ node: order.node, cordoned: plan === 'evacuate' });
  } catch (error) {
    const { code, message, details } = readFailure(error);
    throw ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [details] });
  }
}

async function run(desk: DrainDesk): Promise<EvacuationReport | 'continue'> {
  const { timings, until } = desk.order;
  for (;;) {
    // Only this run hears of the moves that it has begun, so they end before the next one begins.
    if (workflowInfo().continueAsNewSuggested) {
      await condition(() => !desk.isBusy());
      return 'continue';
    }
    // What ends from here on may not be in the snapshot: it is worth a new look.
    const { news } = desk;
    const steps = await look(desk);
    desk.seen(steps);
    if (!desk.state.cancelled) {
      await Promise.all([...steps.moves.map((move) => beginMove(desk, move)), ...steps.shutDowns.map((vmid) => beginShutDown(desk, vmid))]);
    }
    const timeIsUp = until !== null && workflowTimeMs() >= instantMs(until);
    const quietUntilMs = steps.quietUntil == null ? null : Math.min(instantMs(steps.quietUntil), until === null ? Infinity : instantMs(until));
    const quietMs = quietUntilMs === null ? null : quietUntilMs - workflowTimeMs();
    const verdict = judgeDrain(steps, desk.state, { timeIsUp, pauses: timings, quietMs });
    if (verdict.do === 'end') return desk.end(verdict);
    if (verdict.idle) desk.change({ ...desk.state, idleLooks: desk.state.idleLooks + 1 });
    const heard = (): boolean => desk.news !== news;
    if (verdict.lookAfterMs === null) await condition(heard);
    else await condition(heard, verdict.lookAfterMs);
  }
}

/** Looks that fail in a row, the control worker's own retries aside, until the drain gives up. */
const MOST_FAILED_LOOKS = 20;

async function look(desk: DrainDesk): Promise<NextSteps> {
  const { control, order, plan } = desk;
  for (let failed = 1; ; failed += 1) {
    try {
      await hearOfOthers(desk);
      const { node, parallel, until, options, timings } = order;
      const force = order.waitUntil !== null && workflowTimeMs() >= instantMs(order.waitUntil) ? order.force : null;
      const question = { plan, node, state: desk.state, parallel, until, force, options, now: workflowInstant() };
      const { steps, home } = await control.planDrain({ ...question, moveRetryMs: timings.moveRetryMs, lagMs: timings.silentAfterMs });
      for (const vmid of home) await control.changeAway({ node, vmid, at: workflowInstant(), away: false });
      return steps;
    } catch (error) {
      const { code, message, details } = readFailure(error);
      // A snapshot that can't be planned from may be better next time, but not one that was never good.
      if (failed === MOST_FAILED_LOOKS || (desk.isNew() && (code === 'bad-input' || code === 'unsupported'))) {
        await condition(() => !desk.isBusy());
        throw ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [{ ...details, report: desk.report() }] });
      }
      await sleep(order.timings.retryLongestMs);
    }
  }
}

async function hearOfOthers(desk: DrainDesk): Promise<void> {
  if (desk.state.others.length === 0) return;
  const { ended } = await desk.control.findEndedHolders({ workflowIds: desk.state.others.map(migrationWorkflowId) });
  const gone = ended.map(vmidOfMigrationWorkflow);
  desk.change({ ...desk.state, others: desk.state.others.filter((vmid) => !gone.includes(vmid)) });
}
