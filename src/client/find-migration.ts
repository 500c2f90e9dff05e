import { WorkflowNotFoundError } from '@temporalio/client';
import { parseMigrationId, type Vmid } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import { migrationWorkflowId, vmidOfMigrationWorkflow } from '../domain/workflow-names.js';
import { clientError, withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';
import type { MigrationRef } from './migration-view.js';
import { readMigration } from './read-migration.js';

/**
 * Finds a migration by what a user types: `<vmid>-<generation>`, or a bare vmid for the newest one of that guest.
 * @throws KedgeError `not-found`, `bad-input`
 */
export async function findMigration(context: ClientContext, id: string): Promise<MigrationRef> {
  if (!/^\d+-\d+$/.test(id)) {
    const newest = await newestRun(context, vmidOfMigrationWorkflow(id));
    if (newest === null) throw unknown(id);
    return newest;
  }
  const { vmid } = parseMigrationId(id);
  const newest = await newestRun(context, vmid);
  // The newest run first, from the server's own state: the index of all runs lags behind by a moment.
  if (newest !== null && (await hasId(context, { ref: newest, id }))) return newest;
  for (const ref of await earlierRuns(context, vmid)) {
    if (ref.runId !== newest?.runId && (await hasId(context, { ref, id }))) return ref;
  }
  throw unknown(id);
}

async function newestRun({ client }: ClientContext, vmid: Vmid): Promise<MigrationRef | null> {
  const workflowId = migrationWorkflowId(vmid);
  try {
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { workflowId, runId, vmid };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw clientError(`look for migrations of guest ${vmid}`, error);
  }
}

async function earlierRuns({ client }: ClientContext, vmid: Vmid): Promise<readonly MigrationRef[]> {
  return withClientErrors(`list migrations of guest ${vmid}`, async () => {
    const refs: MigrationRef[] = [];
    const workflowId = migrationWorkflowId(vmid);
    for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) refs.push({ workflowId, runId, vmid });
    return refs;
  });
}

async function hasId(context: ClientContext, { ref, id }: { ref: MigrationRef; id: string }): Promise<boolean> {
  return (await readMigration(context, { ref })).story?.id === id;
}

function unknown(id: string): KedgeError {
  return new KedgeError('not-found', `Cannot find migration ${id}: no such migration in the last 30 days`);
}
