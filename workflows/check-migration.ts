import { ApplicationFailure } from '@temporalio/workflow';
import { checkOtherMigration } from '../src/domain/check-guest-state.js';
import { isBlocker } from '../src/domain/checks.js';
import type { NodeName } from '../src/domain/ids.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { CheckMigrationInput, MigrationCheck, TargetCheck } from '../src/domain/migration-check.js';
import { resolveCheckOptions } from '../src/domain/resolve-migration-options.js';
import { migrationWorkflowId } from '../src/domain/workflow-names.js';
import { examineMigration } from './examine-migration.js';
import { onControl } from './on-node.js';
import { workflowInstant } from './workflow-time.js';

/** Workflow type `checkMigration`: all that `migrateGuest` would find, and what it would cost, without a migration. Changes nothing. */
export async function checkMigration(input: CheckMigrationInput): Promise<MigrationCheck> {
  const asked = readInput(input);
  const { vmid } = asked;
  const control = onControl(asked.timings);
  const checkedAt = workflowInstant();
  const [survey, { ended }] = await Promise.all([
    control.surveyCluster({ vmid, source: asked.source, target: asked.target }),
    control.findEndedHolders({ workflowIds: [migrationWorkflowId(vmid)] }),
  ]);
  let source: NodeName | null = asked.source ?? survey.holders[0]?.node ?? null;
  const targets = asked.target === null ? survey.nodes.filter((node) => node !== source) : [asked.target];
  const general = checkOtherMigration({ vmid, running: ended.length === 0 });
  const examine = async (target: NodeName): Promise<TargetCheck> => {
    const found = (node: NodeName): void => {
      source = node;
    };
    const { findings, forecast } = await examineMigration({ migration: { ...asked, target }, control, found });
    const all = [...general, ...findings];
    return { target, possible: !all.some(isBlocker), kind: forecast?.kind ?? null, findings: all, forecast };
  };
  const checks = await Promise.all(targets.map(examine));
  return { v: 1, vmid, source, checkedAt, targets: checks };
}

function readInput(input: CheckMigrationInput): ReturnType<typeof resolveCheckOptions> {
  try {
    return resolveCheckOptions(input);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error.details] });
  }
}
