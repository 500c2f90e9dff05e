/** The answer of `kedge check` and `kedge migrate --dry-run`. Plain JSON; docs/check.schema.json describes it. */
import type { Finding } from './checks.js';
import type { Forecast } from './forecast.js';
import type { NodeName, Vmid } from './ids.js';
import type { MigrateGuestInput, MigrationKind } from './migration.js';

/** Input of the workflow `checkMigration`: that of `migrateGuest`, where a target that is not named means every other node. */
export type CheckMigrationInput = Omit<MigrateGuestInput, 'target'> & { readonly target?: string };

/** What stands between the guest and one target. */
export interface TargetCheck {
  readonly target: NodeName;
  /** No finding is a blocker. */
  readonly possible: boolean;
  /** How the guest would move; null where that can't be told. */
  readonly kind: MigrationKind | null;
  readonly findings: readonly Finding[];
  /** Null where the kind is. */
  readonly forecast: Forecast | null;
}

export interface MigrationCheck {
  readonly v: 1;
  readonly vmid: Vmid;
  /** Null: no node that answers has it. */
  readonly source: NodeName | null;
  /** RFC 3339. */
  readonly checkedAt: string;
  readonly targets: readonly TargetCheck[];
}
