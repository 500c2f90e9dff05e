import { ApplicationFailure } from '@temporalio/workflow';
import type { SourceInspection } from '../activities/interface.js';
import type { SlotNeeds } from '../src/domain/admission-use.js';
import { isBlocker, type Finding } from '../src/domain/checks.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { MigrationKind } from '../src/domain/migration.js';
import type { ResolvedMigration } from '../src/domain/resolve-migration-options.js';
import { slotNeeds } from '../src/domain/slot-needs.js';
import { examineMigration } from './examine-migration.js';
import type { MigrationContext } from './migration-context.js';

/** The guest of a migration that may start, and how it will move. */
export type ValidGuest = NonNullable<SourceInspection['guest']> & {
  readonly movement: MigrationKind;
  /** What admission has to know of its migration. */
  readonly slot: SlotNeeds;
};

/**
 * Lets only a migration pass that no check refuses. Changes nothing. Answers what the guest is, as its source sees it.
 * @throws ApplicationFailure `migration-refused` with `details[0].findings`: all blockers at once.
 */
export async function validateMigration(context: MigrationContext): Promise<ValidGuest> {
  const { migration, story, control } = context;
  const { findings, guest, forecast, sharedStorages } = await examineMigration({ migration, control, found: (source) => story.foundOn(source) });
  refuse(context.migration, findings);
  const movement = guest?.movement ?? null;
  if (guest === null || movement === null)
    throw new KedgeError('internal', `Cannot migrate guest ${migration.vmid}: its source named neither the guest nor a reason`);
  for (const { severity, text, remedy } of findings) if (severity === 'warning') story.warn(`${text}. ${remedy}`);
  story.ownedUnder(guest.generation);
  story.movesAs(movement, forecast);
  const { storages, volumes, limits } = guest;
  const { target, options } = migration;
  const slot = slotNeeds({ source: story.source, target, options, movement, storages, volumes, streamLimit: limits?.bandwidthLimit, sharedStorages });
  return { ...guest, movement, slot };
}

/** @throws ApplicationFailure `migration-refused` with `details[0].findings`, if there is a blocker among them */
export function refuse({ vmid, target }: Pick<ResolvedMigration, 'vmid' | 'target'>, findings: readonly Finding[]): void {
  const blockers = findings.filter(isBlocker);
  if (blockers.length === 0) return;
  throw ApplicationFailure.create({
    type: 'migration-refused',
    nonRetryable: true,
    message: `Cannot migrate guest ${vmid} to ${target}: ${blockers.map(({ text }) => text).join('; ')}`,
    details: [{ findings }],
  });
}
