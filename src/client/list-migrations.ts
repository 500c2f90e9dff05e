import { defineSearchAttributeKey } from '@temporalio/common';
import { KedgeError } from '../domain/kedge-error.js';
import { parseNodeName, type NodeName, type Vmid } from '../domain/ids.js';
import type { RunningMove } from '../domain/plan/snapshot-from-nodes.js';
import { SEARCH_ATTRIBUTES, vmidOfMigrationWorkflow, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';
import type { MigrationRef, MigrationView } from './migration-view.js';
import { readMigration } from './read-migration.js';

export interface ListMigrationsFilter {
  readonly vmid?: Vmid;
  /** Migrations to or from this node. */
  readonly node?: NodeName;
  readonly running?: boolean;
  /** Only those that ended otherwise than wanted: not cancelled ones. */
  readonly failed?: boolean;
  /** RFC 3339: only those that run, or have ended since then. */
  readonly since?: string;
  /** Newest first; default 50. */
  readonly limit?: number;
}

/** Reads so many at a time: each is one or two short calls. */
const AT_A_TIME = 8;

/** Migrations of the last 30 days, newest first. A migration started this moment may be missing: the server's index lags. */
export async function listMigrations(context: ClientContext, filter: ListMigrationsFilter): Promise<readonly MigrationView[]> {
  const limit = filter.limit ?? 50;
  const views: MigrationView[] = [];
  let refs: MigrationRef[] = [];
  // What the index can't tell is looked at in the stories, so that it takes as many pages as it takes.
  const readPage = async (): Promise<void> => {
    const page = await Promise.all(refs.map((ref) => readIfKept(context, ref)));
    refs = [];
    views.push(...page.filter((view) => view !== null).filter((view) => isAskedFor(view, filter)));
  };
  await withClientErrors('list migrations', async () => {
    for await (const { workflowId, runId } of context.client.workflow.list({ query: queryOf(filter) })) {
      refs.push({ workflowId, runId, vmid: vmidOfMigrationWorkflow(workflowId) });
      if (refs.length >= Math.min(AT_A_TIME, limit - views.length)) await readPage();
      if (views.length >= limit) break;
    }
    await readPage();
  });
  return views.sort((one, other) => Date.parse(other.startedAt) - Date.parse(one.startedAt));
}

/** A source that nobody named at the start is in the story alone. While no story can be read nothing speaks against it. */
function isAskedFor({ story, failure }: MigrationView, { node, failed }: ListMigrationsFilter): boolean {
  if (failed === true && failure?.code === 'cancelled') return false;
  return node === undefined || story === null || story.source === null || story.source === node || story.target === node;
}

function queryOf({ vmid, node, running, failed, since }: ListMigrationsFilter): string {
  const { guest, source, target } = SEARCH_ATTRIBUTES;
  return [
    `WorkflowType = '${WORKFLOW_TYPES.migrateGuest}'`,
    ...(vmid === undefined ? [] : [`${guest} = '${vmid}'`]),
    ...(node === undefined ? [] : [`(${source} = '${node}' OR ${target} = '${node}' OR ${source} IS NULL)`]),
    ...(running === true ? [`ExecutionStatus = 'Running'`] : []),
    ...(failed === true ? [`ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut')`] : []),
    ...(since === undefined ? [] : [`(ExecutionStatus = 'Running' OR CloseTime >= '${since}')`]),
  ].join(' AND ');
}

/** Running migrations and where to, as their starts told: no workflow is asked, so that no control worker is needed. */
export async function listRunningMoves({ client }: ClientContext): Promise<readonly RunningMove[]> {
  return withClientErrors('list running migrations', async () => {
    const moves: RunningMove[] = [];
    for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query: queryOf({ running: true }) })) {
      const target = typedSearchAttributes.get(defineSearchAttributeKey(SEARCH_ATTRIBUTES.target, 'KEYWORD'));
      moves.push({ vmid: vmidOfMigrationWorkflow(workflowId), target: target === undefined ? null : parseNodeName(target) });
    }
    return moves;
  });
}

/** Null for one that the server has dropped since it was listed. */
async function readIfKept(context: ClientContext, ref: MigrationRef): Promise<MigrationView | null> {
  try {
    return await readMigration(context, { ref });
  } catch (error) {
    if (error instanceof KedgeError && error.code === 'not-found') return null;
    throw error;
  }
}
