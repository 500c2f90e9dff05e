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
  /** Newest first; default 50. */
  readonly limit?: number;
}

/** Reads so many at a time: each is one or two short calls. */
const AT_A_TIME = 8;

/** Migrations of the last 30 days, newest first. A migration started this moment may be missing: the server's index lags. */
export async function listMigrations(context: ClientContext, filter: ListMigrationsFilter): Promise<readonly MigrationView[]> {
  const refs = await withClientErrors('list migrations', () => findRefs(context, filter));
  const views: MigrationView[] = [];
  for (let at = 0; at < refs.length; at += AT_A_TIME) {
    const page = await Promise.all(refs.slice(at, at + AT_A_TIME).map((ref) => readIfKept(context, ref)));
    views.push(...page.filter((view) => view !== null));
  }
  return views.sort((one, other) => Date.parse(other.startedAt) - Date.parse(one.startedAt));
}

async function findRefs({ client }: ClientContext, filter: ListMigrationsFilter): Promise<readonly MigrationRef[]> {
  const refs: MigrationRef[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query: queryOf(filter) })) {
    refs.push({ workflowId, runId, vmid: vmidOfMigrationWorkflow(workflowId) });
    if (refs.length >= (filter.limit ?? 50)) break;
  }
  return refs;
}

function queryOf({ vmid, node, running }: ListMigrationsFilter): string {
  const { guest, source, target } = SEARCH_ATTRIBUTES;
  return [
    `WorkflowType = '${WORKFLOW_TYPES.migrateGuest}'`,
    ...(vmid === undefined ? [] : [`${guest} = '${vmid}'`]),
    ...(node === undefined ? [] : [`(${source} = '${node}' OR ${target} = '${node}')`]),
    ...(running === true ? [`ExecutionStatus = 'Running'`] : []),
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
