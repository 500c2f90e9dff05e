/** Users who do something to the guest while it moves. */
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever } from '../../src/domain/assert-never.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import type { ErrorCode } from '../../src/domain/error-codes.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { Action } from '../plan/round-plan.js';
import { MigrationEnd } from './recover.js';
import type { StrikeContext } from './strike.js';

/** What came of it. */
export interface Visitors {
  /** Migrations that were accepted beside the first: it had ended. */
  readonly started: readonly MigrationEnd[];
  /** Guests that were stopped on demand: the verb came before the claim or after the end. */
  readonly stopped: readonly number[];
  /** What the product said to it; null without an action. */
  readonly answer: string | null;
}

const NOBODY: Visitors = { started: [], stopped: [], answer: null };
/** A server or a control worker that is away is asked again: a user would do so, too. */
const ASK_AGAIN_MS = 500;
const ASK_LIMIT_MS = 30_000;
const AWAY: readonly ErrorCode[] = ['server-unreachable', 'deadline-exceeded'];

/** Does what the plan says, when it says so. Refusals are answers, too. */
export async function interfere({ lab, guest, route }: StrikeContext, action: Action | null): Promise<Visitors> {
  if (action === null) return NOBODY;
  await delay(action.delayMs);
  const { vmid } = guest;
  try {
    switch (action.what) {
      case 'cancel':
        await untilHeard(() => lab.kedge.cancelMigration(String(vmid)));
        return { ...NOBODY, answer: 'cancel accepted' };
      case 'second-start': {
        const ref = await lab.kedge.startMigration({ vmid, target: route.target, requestedBy: 'chaos, again' });
        return { ...NOBODY, started: [new MigrationEnd(lab.kedge, ref)], answer: 'second start accepted' };
      }
      case 'stop-verb':
        await lab.kedge.manageGuest({ node: parseNodeName(route.source), command: { verb: 'stop', vmid: parseVmid(vmid) } });
        return { ...NOBODY, stopped: [vmid], answer: 'stopped' };
      default:
        return assertNever(action.what);
    }
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    // Nobody knows what became of a verb whose answer was lost.
    const stopped = action.what === 'stop-verb' && error.code !== 'guest-locked' ? [vmid] : [];
    return { ...NOBODY, stopped, answer: `${action.what}: ${error.code}` };
  }
}

async function untilHeard(ask: () => Promise<void>): Promise<void> {
  for (const until = performance.now() + ASK_LIMIT_MS; ; ) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof KedgeError) || !AWAY.includes(error.code) || performance.now() > until) throw error;
      await delay(ASK_AGAIN_MS);
    }
  }
}
