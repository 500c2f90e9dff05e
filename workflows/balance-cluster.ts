/**
 * Evens out how full the nodes of a cluster are, under the id `balance`: one at a time. Ends:
 * - completed with the report, whose `end` tells why no move follows; `cancelled` after the update `cancel` and after Temporal's own cancel alike;
 * - failed with type `bad-input`: nothing was touched.
 * Moves that were begun go on to their own end, whatever becomes of this.
 *
 * Why it ends: each pass begins a move, or notes one that could not begin, or waits for a snapshot that shows the last ones, which is given up after
 * `silentAfterMs`. A guest moves once, and moves and failures are counted (src/domain/balance/judge-balance.ts).
 */
import { continueAsNew, setHandler } from '@temporalio/workflow';
import type { BalanceClusterInput, BalanceReport } from '../src/domain/balance/balance.js';
import { judgeBalance } from '../src/domain/balance/judge-balance.js';
import type { BalanceSteps } from '../src/domain/balance/next-balance.js';
import { resolveBalance } from '../src/domain/balance/resolve-balance.js';
import { BalanceDesk, type CarriedBalance } from './balance-desk.js';
import { beginMove } from './drain-moves.js';
import { balanceQuery } from './messages.js';
import { insistOnLook, readOrFail, runMoves, type MoveVerdict } from './move-loop.js';
import { workflowInstant } from './workflow-time.js';

export interface BalanceInput extends BalanceClusterInput {
  /** State carried over from the run before. */
  readonly carried?: CarriedBalance;
}

/** Workflow type `balanceCluster`. */
export async function balanceCluster(input: BalanceInput): Promise<BalanceReport> {
  const order = readOrFail(() => resolveBalance(input));
  const desk = new BalanceDesk(order, input.carried);
  setHandler(balanceQuery, () => desk.report());
  return runMoves({
    desk,
    prepare: () => Promise.resolve(),
    look: () => insistOnLook(desk, () => look(desk)),
    begin: async ({ moves }) => {
      await Promise.all(moves.map((move) => beginMove(desk, move)));
    },
    judge: (steps) => judge(desk, steps),
    again: () => continueAsNew<typeof balanceCluster>({ ...input, carried: desk.carried() }),
  });
}

async function look(desk: BalanceDesk): Promise<BalanceSteps> {
  const { limits, parallel, until, leave, options, timings } = desk.order;
  const { state, memory } = desk;
  const question = { state, limits, parallel, until, leave, memory, options, now: workflowInstant() };
  const steps = await desk.control.planBalance({ ...question, moveRetryMs: timings.moveRetryMs, lagMs: timings.silentAfterMs });
  desk.seen(steps);
  return steps;
}

function judge(desk: BalanceDesk, steps: BalanceSteps): MoveVerdict<BalanceReport> {
  const { limits, timings } = desk.order;
  const verdict = judgeBalance(steps, desk.state, { limits, pauses: timings });
  return verdict.do === 'end' ? { do: 'end', report: desk.end(verdict.end) } : { ...verdict, all: true };
}
