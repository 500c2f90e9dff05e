import { defineSearchAttributeKey } from '@temporalio/common';
import type { EventFact, RunFact } from '../../domain/events/facts.js';
import { parseNodeName, parseVmid, type NodeName } from '../../domain/ids.js';
import { isRecord } from '../../domain/is-record.js';
import type { RecoveryReport } from '../../domain/recovery.js';
import type { NodeOutcome } from '../../domain/window/window.js';
import { QUERIES, SEARCH_ATTRIBUTES, vmidOfMigrationWorkflow, WORKFLOW_TYPES } from '../../domain/workflow-names.js';
import { askWorkflow } from '../ask-workflow.js';
import { isBalanceReport } from '../balance.js';
import { isEvacuationReport } from '../evacuation.js';
import type { ClientContext } from '../kedge-client.js';
import { readPendingActivities } from '../pending-activities.js';
import { readEnd, type WorkflowEnd } from '../read-end.js';
import { isStory } from '../read-migration.js';
import { isUpkeepProgress, isWindowReport } from '../window/window-verbs.js';
import type { ListedRun } from './list-runs.js';
import { readNodeStates } from './read-node-states.js';

/** What is known of a listed execution; null: nothing that events are made of. One call to the server at most, or one question to a control worker. */
export async function readFact(context: ClientContext, listed: ListedRun): Promise<EventFact | null> {
  const { run, type, memo } = listed;
  switch (type) {
    case WORKFLOW_TYPES.migrateGuest: {
      const { source, target } = nodesOf(listed);
      const requestedBy = typeof memo['requestedBy'] === 'string' ? memo['requestedBy'] : null;
      const told = await tell(context, run, { is: isStory, under: 'story', query: QUERIES.story });
      return { of: 'migration', run, vmid: vmidOfMigrationWorkflow(run.workflowId), requestedBy, source, target, ...told };
    }
    case WORKFLOW_TYPES.evacuateNode:
    case WORKFLOW_TYPES.restoreNode: {
      const told = await tell(context, run, { is: isEvacuationReport, under: 'report', query: QUERIES.evacuation });
      return { of: 'evacuation', run, plan: type === WORKFLOW_TYPES.evacuateNode ? 'evacuate' : 'restore', node: nodeOf(run, 'evacuation-'), ...told };
    }
    case WORKFLOW_TYPES.balanceCluster:
      return { of: 'balance', run, ...(await tell(context, run, { is: isBalanceReport, under: 'report', query: QUERIES.balance })) };
    case WORKFLOW_TYPES.recoverNode:
      return {
        of: 'recovery',
        run,
        node: nodeOf(run, 'recovery-'),
        ...(await tell(context, run, { is: isRecovery, under: 'report', query: QUERIES.recovery })),
      };
    case WORKFLOW_TYPES.maintainNodes: {
      const report: unknown = memo['window'];
      const said = isWindowReport(report) ? report : null;
      const { failure } = await tell(context, run, { is: isWindowReport, under: 'report', query: null });
      return { of: 'window', run, window: said?.window ?? windowOf(run), said, failure };
    }
    case WORKFLOW_TYPES.maintainNode: {
      const progress: unknown = memo['upkeep'];
      const told = await tell(context, run, { is: isOutcome, under: 'report', query: null });
      return { of: 'upkeep', run, node: nodeOf(run, 'upkeep-'), progress: isUpkeepProgress(progress) ? progress : null, ...told };
    }
    case WORKFLOW_TYPES.nodePresence: {
      const node = nodeOf(run, 'node-');
      return { of: 'node', run, node, states: await readNodeStates(context, { run, node }) };
    }
    case WORKFLOW_TYPES.manageGuest:
      return readCommand(context, listed);
    case WORKFLOW_TYPES.deliverEvent:
      return readDelivery(context, listed);
    default:
      return null;
  }
}

/** One who has ended has said it all; one who runs is asked, where there is a question for that. */
async function tell<Said>(
  { client }: ClientContext,
  run: RunFact,
  { is, under, query }: { readonly is: (value: unknown) => value is Said; readonly under: string; readonly query: string | null },
): Promise<WorkflowEnd<Said>> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId);
  if (run.state === 'completed' || run.state === 'failed') return readEnd(handle, { is, under });
  const said: unknown = run.state === 'running' && query !== null ? await askWorkflow(handle, query) : null;
  return { said: is(said) ? said : null, failure: null };
}

/** Commands that only look are nobody's event. */
async function readCommand(context: ClientContext, { run, memo }: ListedRun): Promise<EventFact | null> {
  const [, vmid, verb] = /^guest-(\d+)-(.+)$/.exec(run.workflowId) ?? [];
  if (vmid === undefined || verb === undefined || verb.startsWith('show')) return null;
  const { failure } = run.state === 'failed' ? await tell(context, run, { is: isRecord, under: 'report', query: null }) : { failure: null };
  const node = memo['node'];
  return { of: 'guest-command', run, vmid: parseVmid(vmid), verb, node: typeof node === 'string' ? parseNodeName(node) : null, failure };
}

/** Tests of hooks have no memo: who asked for one has heard how it went. */
async function readDelivery(context: ClientContext, { run, memo }: ListedRun): Promise<EventFact | null> {
  const { hook, eventId } = memo;
  if (typeof hook !== 'string' || typeof eventId !== 'string') return null;
  if (run.state !== 'running') {
    const { failure } = await tell(context, run, { is: isRecord, under: 'report', query: null });
    return { of: 'delivery', run, hook, eventId, lastFailure: null, failure };
  }
  const description = await context.client.workflow.getHandle(run.workflowId, run.runId).describe();
  const lastFailure = readPendingActivities(description)[0]?.lastFailure ?? null;
  return { of: 'delivery', run, hook, eventId, lastFailure, failure: null };
}

function nodesOf({ attributes }: ListedRun): { source: NodeName | null; target: NodeName | null } {
  const read = (name: string): NodeName | null => {
    const value = attributes.get(defineSearchAttributeKey(name, 'KEYWORD'));
    return value === undefined ? null : parseNodeName(value);
  };
  return { source: read(SEARCH_ATTRIBUTES.source), target: read(SEARCH_ATTRIBUTES.target) };
}

function nodeOf({ workflowId }: RunFact, prefix: string): NodeName {
  return parseNodeName(workflowId.slice(prefix.length));
}

/** Temporal appends the time of the opening. */
function windowOf({ workflowId }: RunFact): string {
  return workflowId.replace(/^maintenance-/, '').replace(/-\d{4}-\d\d-\d\dT[\d:.]+Z$/, '');
}

function isRecovery(value: unknown): value is RecoveryReport {
  return isRecord(value) && typeof value['node'] === 'string' && Array.isArray(value['taken']) && Array.isArray(value['evidence']);
}

function isOutcome(value: unknown): value is NodeOutcome {
  return isRecord(value) && typeof value['node'] === 'string' && typeof value['result'] === 'string';
}
