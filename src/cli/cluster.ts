/**
 * What the commands ask of the cluster: the subset of the client that they use, so that tests can answer with a fake.
 * `open-cluster.ts` provides it over src/client.
 */
import type { AuditInput } from '../domain/audit-types.js';
import type { NodeName, Vmid } from '../domain/ids.js';
import type { CopyProgress, MigrateGuestInput, MigrationStory, OperatorDecision } from '../domain/migration.js';
import type { GuestSummary, NodeStatus } from '../domain/node-facts.js';

/** What users type for a migration: `101-7`, or the vmid for the newest one of that guest. */
export interface MigrationRef {
  readonly vmid: Vmid;
  /** Null: the newest migration of the guest. */
  readonly generation: number | null;
}

/** Failure of an ended migration, in Kedge's words. */
export interface MigrationFailure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One look at a migration. `progress` is null unless RAM is on its way; `story` is null while no control worker answers. */
export interface MigrationLook {
  readonly vmid: Vmid;
  readonly workflowId: string;
  readonly state: 'running' | 'ended';
  readonly story: MigrationStory | null;
  readonly progress: CopyProgress | null;
  readonly failure: MigrationFailure | null;
}

/** One line of `kedge migration list`. */
export interface MigrationRow {
  readonly id: string;
  readonly vmid: number;
  readonly source: string | null;
  readonly target: string | null;
  readonly state: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export interface GuestPlace {
  readonly node: NodeName;
  readonly guest: GuestSummary;
  /** Milliseconds since the node last said so; null when unknown. */
  readonly ageMs: number | null;
}

export type GuestVerb = 'start' | 'stop' | 'shutdown' | 'pause' | 'resume' | 'destroy' | 'show';

export interface GuestAnswer {
  readonly node: NodeName;
  readonly guest: GuestSummary | null;
  readonly config: string | null;
}

export interface Cluster {
  startMigration(input: MigrateGuestInput): Promise<MigrationRef>;
  lookAtMigration(ref: MigrationRef): Promise<MigrationLook>;
  /** Looks until the migration has ended; the last look has `state: 'ended'`. Ends early when `signal` aborts. */
  watchMigration(ref: MigrationRef, options: { signal: AbortSignal; everyMs: number }): AsyncIterable<MigrationLook>;
  listMigrations(options: { all: boolean }): Promise<readonly MigrationRow[]>;
  cancelMigration(ref: MigrationRef): Promise<void>;
  releaseMigration(ref: MigrationRef): Promise<void>;
  decideMigration(ref: MigrationRef, decision: OperatorDecision): Promise<void>;
  listGuests(): Promise<readonly GuestPlace[]>;
  createGuest(request: { vmid: Vmid; node: NodeName; config: string }): Promise<GuestAnswer>;
  commandGuest(request: { verb: GuestVerb; vmid: Vmid; timeoutMs?: number }): Promise<GuestAnswer>;
  listNodes(): Promise<readonly NodeStatus[]>;
  cordonNode(request: { node: NodeName; cordoned: boolean }): Promise<void>;
  collectAudit(): Promise<AuditInput>;
  close(): Promise<void>;
}
