/** Users who do something to the guest while it moves. */
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever } from '../../src/domain/assert-never.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
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
}

const NOBODY: Visitors = { started: [], stopped: [] };

/** Does what the plan says, when it says so. Refusals are answers, too. */
export async function interfere({ lab, guest, route }: StrikeContext, action: Action | null): Promise<Visitors> {
  if (action === null) return NOBODY;
  await delay(action.delayMs);
  const { vmid } = guest;
  try {
    switch (action.what) {
      case 'cancel':
        await lab.kedge.cancelMigration(String(vmid));
        return NOBODY;
      case 'second-start': {
        const ref = await lab.kedge.startMigration({ vmid, target: route.target, requestedBy: 'chaos, again' });
        return { ...NOBODY, started: [new MigrationEnd(lab.kedge, ref)] };
      }
      case 'stop-verb':
        await lab.kedge.manageGuest({ node: parseNodeName(route.source), command: { verb: 'stop', vmid: parseVmid(vmid) } });
        return { ...NOBODY, stopped: [vmid] };
      default:
        return assertNever(action.what);
    }
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    // Nobody knows what became of a verb whose answer was lost.
    return action.what === 'stop-verb' && error.code !== 'guest-locked' ? { ...NOBODY, stopped: [vmid] } : NOBODY;
  }
}
