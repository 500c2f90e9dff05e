import { defaultPayloadConverter } from '@temporalio/common';
import { tsToDate } from '@temporalio/common/lib/time.js';
import type { NodeFact, RunFact } from '../../domain/events/facts.js';
import type { NodeName } from '../../domain/ids.js';
import { isRecord } from '../../domain/is-record.js';
import type { NodeEntityStatus } from '../../domain/node-facts.js';
import type { ClientContext } from '../kedge-client.js';
import { isEntityStatus } from '../node-status.js';

/** What the entity of a node kept in this run, one state after the other: each is an event of its history. The first is what the run began with. */
export async function readNodeStates({ client }: ClientContext, { run, node }: { run: RunFact; node: NodeName }): Promise<NodeFact['states']> {
  const { events } = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  const first: NodeEntityStatus = { node, bootId: null, registeredAt: null, cordoned: false, silentSince: null };
  const states: NodeFact['states'][number][] = [];
  for (const { eventTime, workflowExecutionStartedEventAttributes: started, workflowPropertiesModifiedEventAttributes: changed } of events ?? []) {
    const at = eventTime == null ? run.startedAt : tsToDate(eventTime).toISOString();
    const payload = started?.input?.payloads?.[0] ?? changed?.upsertedMemo?.fields?.['status'];
    const value: unknown = payload == null ? null : defaultPayloadConverter.fromPayload(payload);
    if (started != null) {
      const carried = isRecord(value) ? value['status'] : null;
      states.push({ at, status: isEntityStatus(carried) ? carried : first });
    } else if (isEntityStatus(value)) states.push({ at, status: value });
  }
  return states;
}
