import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { SourceInspection } from '../activities/interface.js';
import { checkMigration, type MigrationFacts } from '../src/domain/check-migration.js';
import type { Finding } from '../src/domain/checks.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import { readFailure } from '../src/domain/read-failure.js';
import type { MigrationContext } from './migration-context.js';

/** The guest of a migration that may start. */
export type ValidGuest = NonNullable<SourceInspection['guest']>;

/**
 * Finds the guest, asks both nodes, and judges what they say. Changes nothing. Answers what the guest is, as its source sees it.
 * @throws ApplicationFailure `migration-refused` with `details[0].findings`: all blockers at once.
 */
export async function validateMigration(context: MigrationContext): Promise<ValidGuest> {
  const { migration, story } = context;
  const { vmid, target, options } = migration;
  const survey = await context.control.surveyCluster({ vmid, source: migration.source, target });
  const source = migration.source ?? survey.holders[0]?.node ?? null;
  if (source === null) throw refusal(context, [guestUnknown(vmid)]);
  story.foundOn(source);

  const known = { vmid, source, target, nodes: survey.nodes, targetStatus: survey.target };
  if (source === target || !survey.nodes.includes(target)) judge(context, { ...known, sourceSide: 'unasked', targetSide: 'unasked' });
  const [sourceSide, targetSide] = await Promise.all([
    answerOf(() => context.source().ping.inspectSource({ vmid, target, options })),
    answerOf(() => context.target().ping.inspectTarget({ vmid, source, options })),
  ]);
  judge(context, { ...known, sourceSide, targetSide });

  if (sourceSide === 'silent' || sourceSide.guest === null) {
    throw new KedgeError('internal', `Cannot migrate guest ${vmid}: ${source} named neither the guest nor a reason`);
  }
  story.ownedUnder(sourceSide.guest.generation);
  return sourceSide.guest;
}

/** Passes warnings on. @throws the refusal when there is a blocker. */
function judge(context: MigrationContext, facts: MigrationFacts): void {
  const findings = checkMigration(facts);
  if (findings.some((finding) => finding.severity === 'blocker')) throw refusal(context, findings);
  for (const { text, remedy } of findings) context.story.warn(`${text}. ${remedy}`);
}

async function answerOf<Answer>(ask: () => Promise<Answer>): Promise<Answer | 'silent'> {
  try {
    return await ask();
  } catch (error) {
    if (!isCancellation(error) && readFailure(error).answer !== 'given') return 'silent';
    throw error;
  }
}

function refusal({ migration }: MigrationContext, findings: readonly Finding[]): ApplicationFailure {
  const blockers = findings.filter((finding) => finding.severity === 'blocker');
  const listed = blockers.map((finding) => finding.text).join('; ');
  return ApplicationFailure.create({
    type: 'migration-refused',
    nonRetryable: true,
    message: `Cannot migrate guest ${migration.vmid} to ${migration.target}: ${listed}`,
    details: [{ findings }],
  });
}

function guestUnknown(vmid: number): Finding {
  return {
    id: 'guest-unknown',
    severity: 'blocker',
    text: `No node that answers has a guest ${vmid}`,
    remedy: 'List the guests with "kedge guest list", or name the source if its node is silent',
  };
}
