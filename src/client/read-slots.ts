import { WorkflowNotFoundError } from '@temporalio/client';
import type { SlotRequest, SlotState } from '../domain/admission.js';
import type { AuditedSlot } from '../domain/audit-types.js';
import { ADMISSION_ID, QUERIES } from '../domain/workflow-names.js';
import { clientError } from './client-error.js';
import { isRunRunning } from './is-run-running.js';
import type { ClientContext } from './kedge-client.js';

/** How long the query waits for a control worker. */
const QUERY_TIMEOUT_MS = 10_000;

/**
 * The slots that are held, and whether their holders run. A migration gives its slot back before it ends, so one that is seen to have ended
 * is looked for a second time: what it has sent is dealt with before the second answer.
 * @throws KedgeError `server-unreachable` when no control worker answers
 */
export async function readSlots(context: ClientContext): Promise<readonly AuditedSlot[]> {
  const leases = await readLeases(context);
  const running = await Promise.all(leases.map((lease) => isRunRunning(context, lease)));
  const again = running.every(Boolean) ? leases : await readLeases(context);
  return leases.flatMap((lease, at): readonly AuditedSlot[] => {
    const isHeld = again.some(({ holder, runId }) => holder === lease.holder && runId === lease.runId);
    return isHeld ? [{ holder: lease.holder, runId: lease.runId, nodes: lease.nodes, running: running[at] ?? false }] : [];
  });
}

/** None where no admission has ever run. */
async function readLeases({ client }: ClientContext): Promise<readonly SlotRequest[]> {
  try {
    const handle = client.workflow.getHandle(ADMISSION_ID);
    const { leases } = await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<SlotState>(QUERIES.slots));
    return leases;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw clientError('read the slots of admission', error);
  }
}
