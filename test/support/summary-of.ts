import type { MigrationView } from '../../src/client/migration-view.js';

/** What a test asserts of a migration's end, small enough to be read when it differs. */
export interface MigrationSummary {
  readonly status: MigrationView['status'];
  readonly outcome: string | null;
  readonly failure: string | null;
  readonly warnings: readonly string[];
}

export function summaryOf({ status, story, failure }: MigrationView): MigrationSummary {
  return {
    status,
    outcome: story?.outcome ?? null,
    failure: failure === null ? null : `${failure.code}: ${failure.message} ${JSON.stringify(failure.details)}`,
    warnings: story?.warnings ?? [],
  };
}

/** The end of a migration that met no obstacle. */
export const MIGRATED: MigrationSummary = { status: 'completed', outcome: 'migrated', failure: null, warnings: [] };
