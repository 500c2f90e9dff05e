import type { MigrationView } from '../../src/client/migration-view.js';
import { CHECKS, type CheckId } from '../../src/domain/checks.js';

/** What a test asserts of a migration's end, small enough to be read when it differs. */
export interface MigrationSummary {
  readonly status: MigrationView['status'];
  readonly outcome: string | null;
  readonly failure: string | null;
  readonly warnings: readonly string[];
}

/** What the checks say of a machine that is busy with the tests themselves: all nodes of a lab share its processors. */
const BUSY_MACHINE: readonly CheckId[] = ['target-loaded', 'link-lossy', 'link-slow', 'latency-high', 'link-unmeasured'];

export function summaryOf({ status, story, failure }: MigrationView): MigrationSummary {
  return {
    status,
    outcome: story?.outcome ?? null,
    failure: failure === null ? null : `${failure.code}: ${failure.message} ${JSON.stringify(failure.details)}`,
    warnings: (story?.warnings ?? []).filter((warning) => !BUSY_MACHINE.some((id) => warning.endsWith(CHECKS[id].remedy))),
  };
}

/** The end of a migration that met no obstacle. */
export const MIGRATED: MigrationSummary = { status: 'completed', outcome: 'migrated', failure: null, warnings: [] };
