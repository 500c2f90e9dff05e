import { WorkflowNotFoundError } from '@temporalio/client';
import type { EventFact } from '../../domain/events/facts.js';
import type { Vmid } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { WORKFLOW_TYPES } from '../../domain/workflow-names.js';
import { withClientErrors } from '../client-error.js';
import type { ClientContext } from '../kedge-client.js';
import { listRuns, type ListedRun } from './list-runs.js';
import { readFact } from './read-fact.js';

/** Reads so many executions at a time: each is one short call. */
const AT_A_TIME = 8;
/** The server's index of executions lags behind, and clocks differ: what ended so long before the last look is looked at once more. */
const OVERLAP_MS = 5 * 60_000;

/** How a delivery that waits for its next attempt is going is asked no more often than so: there may be many of them. */
const DELIVERY_AGE_MS = 60_000;

/** Looks at what the server knows, again and again, and reads at each look only what may have changed. */
export interface EventReader {
  /** What runs, and what has ended since the look before; at the first look: since `since`. @throws KedgeError `server-unreachable`; then the next look reads it all */
  look(): Promise<readonly EventFact[]>;
}

/** @param since RFC 3339 */
export function openEventReader(context: ClientContext, { since, vmid }: { since: string; vmid?: Vmid | undefined }): EventReader {
  let endedSince = since;
  /** Of the executions that the last look saw: what can't change any more. By what tells that it has not changed. */
  let known: ReadonlyMap<string, EventFact | null> = new Map();
  return {
    look: async () => {
      const lookedAt = Date.now();
      const runs = await listRuns(context, { endedSince, vmid });
      const read = new Map<string, EventFact | null>();
      const facts: EventFact[] = [];
      for (let at = 0; at < runs.length; at += AT_A_TIME) {
        await Promise.all(
          runs.slice(at, at + AT_A_TIME).map(async (listed) => {
            const key = stateKey(listed);
            const kept = key === null ? undefined : known.get(key);
            const fact = kept === undefined ? await readIfKept(context, listed) : kept;
            if (key !== null) read.set(key, fact);
            if (fact !== null) facts.push(fact);
          }),
        );
      }
      known = read;
      endedSince = new Date(Math.max(Date.parse(since), lookedAt - OVERLAP_MS)).toISOString();
      return facts;
    },
  };
}

/** The same as long as nothing new can be read of the execution. Null: it has to be asked each time. */
function stateKey({ run, type, memo }: ListedRun): string | null {
  if (run.state !== 'running') return `${run.runId} ended`;
  // Each change of a node's state is in its memo; its history, which tells when, is read after such a change only.
  if (type === WORKFLOW_TYPES.deliverEvent) return `${run.runId} ${String(Math.floor(Date.now() / DELIVERY_AGE_MS))}`;
  return type === WORKFLOW_TYPES.nodePresence ? `${run.runId} ${JSON.stringify(memo['status'] ?? null)}` : null;
}

/** Null for one that the server has dropped since it was listed, and for one that was started by hand under an id that is none of ours. */
async function readIfKept(context: ClientContext, listed: ListedRun): Promise<EventFact | null> {
  return withClientErrors(`read workflow ${listed.run.workflowId}`, async () => {
    try {
      return await readFact(context, listed);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || (error instanceof KedgeError && error.code === 'bad-input')) return null;
      throw error;
    }
  });
}
