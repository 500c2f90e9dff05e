import type { AuditedSlot } from '../domain/audit-types.js';
import type { SlotRequest } from '../domain/admission.js';
import { readAdmission } from './admission/admission-verbs.js';
import { isRunRunning } from './is-run-running.js';
import type { ClientContext } from './kedge-client.js';

/**
 * The slots that are held, and whether their holders run. A migration gives its slot back before it ends, so one that is seen to have ended
 * is looked for a second time: what it has sent is dealt with before the second answer.
 * @throws KedgeError `server-unreachable` when no control worker answers
 */
export async function readSlots(context: ClientContext): Promise<readonly AuditedSlot[]> {
  const { leases } = await readAdmission(context);
  const running = await Promise.all(leases.map((lease) => isRunRunning(context, lease)));
  const again = running.every(Boolean) ? leases : (await readAdmission(context)).leases;
  return leases.flatMap((lease, at): readonly AuditedSlot[] => {
    const isHeld = again.some(({ holder, runId }) => holder === lease.holder && runId === lease.runId);
    return isHeld ? [{ holder: lease.holder, runId: lease.runId, nodes: lease.nodes, running: running[at] ?? false }] : [];
  });
}

/**
 * The migrations that have a slot or wait for one. One that has ended without a word moves nothing, whatever it still has.
 * @throws KedgeError `server-unreachable` when no control worker answers
 */
export async function readMoves(context: ClientContext): Promise<readonly Pick<SlotRequest, 'holder' | 'nodes'>[]> {
  const { leases, waiting } = await readAdmission(context);
  const moves = [...leases, ...waiting];
  const running = await Promise.all(moves.map((move) => isRunRunning(context, move)));
  return moves.filter((_, at) => running[at]).map(({ holder, nodes }) => ({ holder, nodes }));
}
