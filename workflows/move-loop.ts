/** What all workflows that move many guests share: the loop of looking, beginning and waiting. Docs/architecture.md, "Draining a node". */
import { allHandlersFinished, ApplicationFailure, CancellationScope, condition, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import { KedgeError } from '../src/domain/kedge-error.js';
import { readFailure } from '../src/domain/read-failure.js';
import { cancelUpdate } from './messages.js';
import type { MovesDesk } from './moves-desk.js';
import { looksAtLatestNews } from './patches.js';

/** `lookAfterMs` null: what ends is heard of. `all`: one end is not enough, all that was begun has to have ended. */
export type MoveVerdict<Report> =
  | { readonly do: 'wait'; readonly lookAfterMs: number | null; readonly all: boolean }
  | { readonly do: 'end'; readonly report: Report };

export interface MoveLoop<Steps, Report> {
  readonly desk: MovesDesk<Report>;
  /** Before the first look of the first run. */
  readonly prepare: () => Promise<void>;
  readonly look: () => Promise<Steps>;
  /** Not called after a cancel. */
  readonly begin: (steps: Steps) => Promise<void>;
  readonly judge: (steps: Steps) => MoveVerdict<Report>;
  /** Goes on in a new run, with what the desk has. */
  readonly again: () => Promise<never>;
}

/** Runs until there is nothing more to begin. Both kinds of cancel mean: what is under way goes on to its end, and the report is given. */
export async function runMoves<Steps, Report>(loop: MoveLoop<Steps, Report>): Promise<Report> {
  const { desk } = loop;
  setHandler(cancelUpdate, () => {
    desk.cancel();
    return { cancelled: true as const };
  });
  CancellationScope.current().cancelRequested.catch(() => desk.cancel());
  return CancellationScope.nonCancellable(async () => {
    await loop.prepare();
    const end = await run(loop);
    await condition(allHandlersFinished);
    return end === null ? loop.again() : end.report;
  });
}

/** Null: in a new run. */
async function run<Steps, Report>({ desk, look, begin, judge }: MoveLoop<Steps, Report>): Promise<{ readonly report: Report } | null> {
  for (;;) {
    // Only this run hears of the moves that it has begun, so they end before the next one begins.
    if (workflowInfo().continueAsNewSuggested) {
      desk.close();
      await condition(() => !desk.isBusy());
      return null;
    }
    // What ends from here on may not be in the snapshot: it is worth a new look.
    const { news } = desk;
    const steps = await look();
    if (!desk.state.cancelled) await begin(steps);
    const verdict = judge(steps);
    if (verdict.do === 'end') {
      // What ended during the look is not in it: the guest of a move that failed may still be there.
      if (desk.news === news || !looksAtLatestNews()) return verdict;
      continue;
    }
    const heard = (): boolean => desk.news !== news && !(verdict.all && desk.isBusy());
    if (verdict.lookAfterMs === null) await condition(heard);
    else await condition(heard, verdict.lookAfterMs);
  }
}

/** Looks that fail in a row, the control worker's own retries aside, until all is given up. */
const MOST_FAILED_LOOKS = 20;

/** Looks until it succeeds; gives up, once nothing is under way, with the report in the failure's details. */
export async function insistOnLook<Steps, Report>(desk: MovesDesk<Report>, look: () => Promise<Steps>): Promise<Steps> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await look();
    } catch (error) {
      const { code, message, details } = readFailure(error);
      // A snapshot that can't be planned from may be better next time, but not one that was never good.
      if (failed === MOST_FAILED_LOOKS || (desk.isNew() && (code === 'bad-input' || code === 'unsupported'))) {
        await condition(() => !desk.isBusy());
        throw ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [{ ...details, report: desk.report() }] });
      }
      await sleep(desk.order.timings.retryLongestMs);
    }
  }
}

/** What `read` makes of an input. @throws ApplicationFailure with the code of its KedgeError */
export function readOrFail<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error.details] });
  }
}
