import { randomUUID } from 'node:crypto';
import type { CheckMigrationInput, MigrationCheck } from '../domain/migration-check.js';
import { resolveCheckOptions } from '../domain/resolve-migration-options.js';
import { checkWorkflowId, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import type { ClientContext } from './kedge-client.js';

/** What would stand in the way of a migration, and what it would cost. Changes nothing. @throws KedgeError `bad-input` */
export async function checkMigration({ client }: ClientContext, input: CheckMigrationInput): Promise<MigrationCheck> {
  const { vmid, target } = resolveCheckOptions(input);
  return withClientErrors(`check the migration of guest ${vmid}`, () =>
    client.workflow.execute<(input: CheckMigrationInput) => Promise<MigrationCheck>>(WORKFLOW_TYPES.checkMigration, {
      ...CONTROL_START,
      workflowId: checkWorkflowId(vmid, randomUUID()),
      args: [input],
      staticSummary: `Check of guest ${vmid}${target === null ? '' : ` to ${target}`}`,
    }),
  );
}
