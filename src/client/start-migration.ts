import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { KedgeError } from '../domain/kedge-error.js';
import type { MigrateGuestInput } from '../domain/migration.js';
import { resolveMigrationOptions } from '../domain/resolve-migration-options.js';
import { migrationWorkflowId, SEARCH_ATTRIBUTES, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { clientError } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import { findMigration } from './find-migration.js';
import type { ClientContext } from './kedge-client.js';
import type { MigrationRef } from './migration-view.js';
import { readMigration } from './read-migration.js';

/** Starts `migrateGuest`; its workflow id is the guest's mutex. @throws KedgeError `bad-input`, `already-migrating` */
export async function startMigration(context: ClientContext, input: MigrateGuestInput): Promise<MigrationRef> {
  const { vmid, source, target, requestedBy } = resolveMigrationOptions(input);
  const workflowId = migrationWorkflowId(vmid);
  const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
  try {
    const handle = await context.client.workflow.start(WORKFLOW_TYPES.migrateGuest, {
      ...CONTROL_START,
      workflowId,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [input],
      memo: { requestedBy },
      typedSearchAttributes: new TypedSearchAttributes([
        { key: keyword(SEARCH_ATTRIBUTES.guest), value: String(vmid) },
        { key: keyword(SEARCH_ATTRIBUTES.target), value: target },
        ...(source === null ? [] : [{ key: keyword(SEARCH_ATTRIBUTES.source), value: source }]),
      ]),
      staticSummary: `Guest ${vmid} to ${target}`,
    });
    return { workflowId, runId: handle.firstExecutionRunId, vmid };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await alreadyMigrating(context, workflowId);
    throw clientError(`start the migration of guest ${vmid}`, error);
  }
}

async function alreadyMigrating(context: ClientContext, workflowId: string): Promise<KedgeError> {
  const ref = await findMigration(context, workflowId);
  const { story } = await readMigration(context, { ref });
  const name = story?.id ?? workflowId;
  return new KedgeError(
    'already-migrating',
    `Cannot migrate guest ${ref.vmid}: migration ${name} of it is running${story === null ? '' : ` to ${story.target}`}`,
    {
      details: { migration: name, workflowId, runId: ref.runId, target: story?.target ?? null },
    },
  );
}
