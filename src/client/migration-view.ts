import type { Vmid } from '../domain/ids.js';
import type { CopyProgress, MigrationPhase, MigrationStory } from '../domain/migration.js';
import type { KedgeFailure } from '../domain/read-failure.js';

/** One execution of `migrateGuest`. */
export interface MigrationRef {
  readonly workflowId: string;
  readonly runId: string;
  readonly vmid: Vmid;
}

export const MIGRATION_STATUSES = ['running', 'completed', 'failed', 'terminated', 'unknown'] as const;
export type MigrationStatus = (typeof MIGRATION_STATUSES)[number];

/** An activity that runs or waits now, as the server knows it even while no control worker runs. */
export interface PendingActivity {
  readonly name: string;
  readonly state: 'scheduled' | 'started' | 'cancel-requested' | 'unknown';
  readonly attempt: number;
  /** Why the attempt before this one ended. */
  readonly lastFailure: string | null;
  readonly heartbeatAgeMs: number | null;
}

/** What can be said of one migration at one moment. */
export interface MigrationView {
  readonly ref: MigrationRef;
  readonly status: MigrationStatus;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** The phase that the copy reports while it runs, else that of the story; null when neither could be read. */
  readonly phase: MigrationPhase | null;
  /** Null while no control worker has answered. */
  readonly story: MigrationStory | null;
  /** Was the story read now? False: it is of an earlier moment, because no control worker answers. */
  readonly storyIsFresh: boolean;
  readonly progress: CopyProgress | null;
  readonly activities: readonly PendingActivity[];
  /** Set when the migration has failed; `details` hold the findings of a refusal. */
  readonly failure: KedgeFailure | null;
}
