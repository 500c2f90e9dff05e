/** What `evacuateNode` and `restoreNode` share: what a drain looks for, begins and waits for. The loop itself: move-loop.ts. */
import { ApplicationFailure, continueAsNew, setHandler } from '@temporalio/workflow';
import type { DrainState } from '../src/domain/drain/drain-state.js';
import { judgeDrain } from '../src/domain/drain/judge-drain.js';
import { lookPause } from '../src/domain/drain/look-pause.js';
import type { NextSteps } from '../src/domain/drain/next-steps.js';
import { resolveEvacuation } from '../src/domain/drain/resolve-evacuation.js';
import type { EvacuateNodeInput, EvacuationReport } from '../src/domain/evacuation.js';
import { readFailure } from '../src/domain/read-failure.js';
import { migrationWorkflowId, vmidOfMigrationWorkflow } from '../src/domain/workflow-names.js';
import { DrainDesk } from './drain-desk.js';
import { beginMove, beginShutDown } from './drain-moves.js';
import { evacuationQuery } from './messages.js';
import { insistOnLook, readOrFail, runMoves, type MoveVerdict } from './move-loop.js';
import { instantMs, workflowInstant, workflowTimeMs } from './workflow-time.js';

export interface DrainInput extends EvacuateNodeInput {
  /** State carried over from the run before. */
  readonly carried?: DrainState;
}

/** Runs until nothing more can or may be moved. */
export async function drainNode(plan: EvacuationReport['plan'], input: DrainInput): Promise<EvacuationReport> {
  const order = readOrFail(() => resolveEvacuation(input));
  const desk = new DrainDesk(plan, order, input.carried);
  setHandler(evacuationQuery, () => desk.report());
  return runMoves({
    desk,
    prepare: () => (input.carried === undefined ? closeOrOpen(desk) : Promise.resolve()),
    look: () => insistOnLook(desk, () => look(desk)),
    begin: async ({ moves, shutDowns }) => {
      await Promise.all([...moves.map((move) => beginMove(desk, move)), ...shutDowns.map((vmid) => beginShutDown(desk, vmid))]);
    },
    judge: (steps) => judge(desk, steps),
    again: () => continueAsNew<(again: DrainInput) => Promise<EvacuationReport>>({ ...input, carried: desk.state }),
  });
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

async function look(desk: DrainDesk): Promise<NextSteps> {
  const { control, order, plan } = desk;
  await hearOfOthers(desk);
  const { node, parallel, until, options, timings } = order;
  const force = order.waitUntil !== null && workflowTimeMs() >= instantMs(order.waitUntil) ? order.force : null;
  const question = { plan, node, state: desk.state, parallel, until, force, options, now: workflowInstant() };
  const { steps, home } = await control.planDrain({ ...question, moveRetryMs: timings.moveRetryMs, lagMs: timings.silentAfterMs });
  for (const vmid of home) await control.changeAway({ node, vmid, at: workflowInstant(), away: false });
  desk.seen(steps);
  return steps;
}

async function hearOfOthers(desk: DrainDesk): Promise<void> {
  if (desk.state.others.length === 0) return;
  const { ended } = await desk.control.findEndedHolders({ workflowIds: desk.state.others.map(migrationWorkflowId) });
  const gone = ended.map(vmidOfMigrationWorkflow);
  desk.change({ ...desk.state, others: desk.state.others.filter((vmid) => !gone.includes(vmid)) });
}

function judge(desk: DrainDesk, steps: NextSteps): MoveVerdict<EvacuationReport> {
  const { until, waitUntil, timings } = desk.order;
  const timeIsUp = until !== null && workflowTimeMs() >= instantMs(until);
  const quietUntilMs = steps.quietUntil == null ? null : Math.min(instantMs(steps.quietUntil), until === null ? Infinity : instantMs(until));
  const quietMs = quietUntilMs === null ? null : quietUntilMs - workflowTimeMs();
  const verdict = judgeDrain(steps, desk.state, { timeIsUp, pauses: timings, quietMs });
  if (verdict.do === 'end') return { do: 'end', report: desk.end(verdict) };
  if (verdict.idle) desk.change({ ...desk.state, idleLooks: desk.state.idleLooks + 1 });
  if (verdict.lookAfterMs !== timings.drainLookMs || verdict.idle) return { ...verdict, all: false };
  const due = [until, waitUntil, steps.quietUntil ?? null];
  const dueInMs = due.flatMap((instant) => (instant === null ? [] : [instantMs(instant) - workflowTimeMs()]));
  return { ...verdict, lookAfterMs: lookPause({ lookMs: timings.drainLookMs, sameLooks: desk.sameLooks, dueInMs }), all: false };
}
