/** What a migration is asked to do, how it reports while it runs, and what it tells afterwards. Plain JSON. */
import type { SlotPriority } from './admission.js';
import type { Forecast } from './forecast.js';
import type { Generation, MigrationId, NodeName, Vmid } from './ids.js';
import type { WorkflowTimings } from './workflow-timings.js';

/** How the RAM stream travels: TLS with multifd, or plain TCP by explicit choice (PVE's `migration_type`). */
export const MIGRATION_TYPES = ['secure', 'insecure'] as const;
export type MigrationType = (typeof MIGRATION_TYPES)[number];

/** What happens when pre-copy does not converge within the downtime budget. */
export const STALL_POLICIES = ['abort', 'force'] as const;
export type StallPolicy = (typeof STALL_POLICIES)[number];

/**
 * How a guest moves: `live` while it runs; `restart`: shut down, moved, started there; `offline`: it is off before and after. The
 * last two copy disks and share one protocol.
 */
export const MIGRATION_KINDS = ['live', 'restart', 'offline'] as const;
export type MigrationKind = (typeof MIGRATION_KINDS)[number];

/** What happens to a guest that does not shut down in time: the migration fails and it runs on, or it is switched off. */
export const SHUTDOWN_POLICIES = ['fail', 'stop'] as const;
export type ShutdownPolicy = (typeof SHUTDOWN_POLICIES)[number];

/** All settings of one migration with their defaults filled in; the workflow sees nothing undefined. */
export interface MigrationOptions {
  /** Only live: anything else is refused. Without it and without `restart` a guest that is off moves off, a virtual machine that runs moves live. */
  readonly online: boolean;
  /** The guest may be shut down, and is started at the target. */
  readonly restart: boolean;
  /** How long the guest may take to shut down, in milliseconds. */
  readonly shutdownTimeoutMs: number;
  readonly onShutdownTimeout: ShutdownPolicy;
  /** Copy disks while the guest still runs, so that little is left to copy after its shutdown. */
  readonly presync: boolean;
  /** Leave the source's disks in place, as they were at the hand-over. */
  readonly keepSource: boolean;
  /** Storage map in PVE's grammar: `1`, `dst`, `src:dst,…`; empty: the same storages. */
  readonly targetStorage: string;
  readonly type: MigrationType;
  /** Network that carries the copy, as CIDR: the node addresses of kedge.yaml inside of it are used. Null: their `migrationAddress`. */
  readonly network: string | null;
  /**
   * Limit of the copy in bytes per second; 0: none, whatever else says so. Null: not given, then the nodes' files tell: `bwlimit` of the
   * storages (disks) and of datacenter.cfg. The guest's `migrate_speed` holds for its RAM in any case.
   */
  readonly bandwidthLimit: number | null;
  /** Longest blackout that a switchover may be started for, in milliseconds. Null: not given, the guest's `migrate_downtime` tells. */
  readonly maxDowntimeMs: number | null;
  /** Whole migration, from start to hand-over, in milliseconds; a hold does not count. 0 means no limit. */
  readonly timeoutMs: number;
  readonly onStall: StallPolicy;
  /** Move it in a blackout too. */
  readonly ignoreBlackout: boolean;
  /** Copy now, switch over on command (`kedge migration release`) or at `holdUntil`. */
  readonly hold: boolean;
  /** RFC 3339 instant at which a hold ends by itself; only with `hold`. */
  readonly holdUntil?: string;
}

/** The options of a copy: those of its migration, and what admission has granted to it. */
export interface CopyOptions extends MigrationOptions {
  /** Its share of the network in bytes per second, whatever else allows more; absent: the network has no limit. */
  readonly bandwidthShare?: number;
}

/** Input of the workflow `migrateGuest`, as typed by the CLI or by `temporal workflow start`; see docs/migration.md. */
export interface MigrateGuestInput {
  readonly vmid: number;
  readonly target: string;
  /** The node that runs the guest now; looked up in the nodes' inventories when absent. */
  readonly source?: string;
  readonly options?: Partial<MigrationOptions>;
  /** Who asked, for the story: user name and host. */
  readonly requestedBy?: string;
  /** Whose turn it is when slots are rare; default `user`. */
  readonly priority?: SlotPriority;
  /** RFC 3339. Whoever has had no slot by then does not begin any more: it fails with `too-late`, untouched. Absent: it waits without end. */
  readonly notAfter?: string;
  /** For tests only: shorter waits than the defaults of workflow-timings.ts. */
  readonly timings?: Partial<WorkflowTimings>;
}

/**
 * The steps of a migration in their order: live ones have `pre-copy` and `switchover`, the others what stands between `shutdown` and
 * `hand-over`. Nothing unwinds after the switchover or the hand-over.
 */
export const MIGRATION_STEPS = [
  'validate',
  'admit',
  'claim',
  'prepare',
  'pre-copy',
  'switchover',
  'pre-sync',
  'shutdown',
  'final-sync',
  'verify',
  'hand-over',
  'start',
  'confirm',
  'release',
] as const;
export type MigrationStep = (typeof MIGRATION_STEPS)[number];

/** Phase as users see it. */
export const MIGRATION_PHASES = [...MIGRATION_STEPS, 'holding', 'rolling-back', 'needs-operator', 'done'] as const;
export type MigrationPhase = (typeof MIGRATION_PHASES)[number];

/** Progress of a copy, of RAM or of disks: heartbeat details of the activity that makes it. Version 1. */
export interface CopyProgress {
  readonly v: 1;
  readonly phase: MigrationPhase;
  /** Number of the current pass, from 1. */
  readonly round: number;
  readonly bytesSent: number;
  readonly bytesLeft: number;
  readonly bytesTotal: number;
  /** Files of containers that were looked at, of all that there are; absent for RAM and images, and before all are found. */
  readonly files?: FilesDone;
  /** Bytes per second over the last seconds; of disks since the pass or the comparison began. */
  readonly rate: number;
  /** Bytes per second that the guest dirties. */
  readonly dirtyRate: number;
  readonly expectedBlackoutMs: number;
  /** Seconds to the switchover at this rate; null while it cannot be told. */
  readonly etaSeconds: number | null;
  /** Times that the stream was found running by a new attempt of the activity. */
  readonly reattached: number;
}

export interface FilesDone {
  readonly done: number;
  readonly total: number;
}

/** One finished pass over the RAM or over all disks. */
export interface CopyRound {
  readonly round: number;
  /** Bytes that were still to be sent when the pass ended. */
  readonly bytesLeft: number;
  readonly bytesSent: number;
  readonly durationMs: number;
}

export interface StepReport {
  readonly step: MigrationStep;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: 'done' | 'failed' | 'undone';
  /** Failure type and message when the step failed. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** Blackout of a finished switchover. */
export interface BlackoutReport {
  /** STOP on the source to RESUME on the target by the two nodes' clocks, corrected by the measured offset; milliseconds. */
  readonly stopToResumeMs: number;
  /** QEMU's own `downtime` of the source (ends at `completed`); milliseconds. */
  readonly qemuDowntimeMs: number;
}

/** How it ended for the guest. `source`, `target`: the node that runs or owns it now. */
export const MIGRATION_OUTCOMES = ['migrated', 'rolled-back', 'cancelled', 'guest-lost-memory', 'abandoned'] as const;
export type MigrationOutcome = (typeof MIGRATION_OUTCOMES)[number];

/** The whole story of one migration: result of the workflow, and answer of its query `story` while it runs. */
export interface MigrationStory {
  readonly v: 1;
  readonly id: MigrationId | null;
  readonly vmid: Vmid;
  readonly source: NodeName | null;
  readonly target: NodeName;
  readonly generation: Generation | null;
  readonly requestedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly options: MigrationOptions;
  /** Null until the checks have told. */
  readonly kind: MigrationKind | null;
  readonly phase: MigrationPhase;
  readonly outcome: MigrationOutcome | null;
  readonly steps: readonly StepReport[];
  readonly rounds: readonly CopyRound[];
  readonly bytesSent: number;
  readonly blackout: BlackoutReport | null;
  /** From the guest's shutdown to its start; milliseconds. Null where it never was shut down. */
  readonly downtimeMs: number | null;
  /** What the checks foresaw, to be compared with what happened; absent or null where they could not tell. */
  readonly forecast?: Forecast | null;
  readonly warnings: readonly string[];
  /** Set while phase is `needs-operator`: what is known, what is not, and what may be decided. */
  readonly question: OperatorQuestion | null;
}

/** `source-dead`, `target-dead`: the operator has made sure that the power of that node is off. */
export const DEATH_DECISIONS = ['source-dead', 'target-dead'] as const;
export type DeathDecision = (typeof DEATH_DECISIONS)[number];
export const OPERATOR_DECISIONS = ['retry', 'skip', 'abandon', ...DEATH_DECISIONS] as const;
export type OperatorDecision = (typeof OPERATOR_DECISIONS)[number];

/** What a decision is sent as when it matters who takes it; a bare decision is fine for the others. */
export interface OperatorAnswer {
  readonly decision: OperatorDecision;
  /** User name and host. */
  readonly statedBy: string;
}

export interface OperatorQuestion {
  readonly step: string;
  readonly code: string;
  readonly message: string;
  readonly since: string;
  /** What is known of both nodes, what isn't, and what could be running where; one sentence each. Absent where nobody could look. */
  readonly facts?: readonly string[];
  /** What each decision does and risks. A node's death is only offered where the other one could go on alone. */
  readonly choices: Readonly<Record<Exclude<OperatorDecision, DeathDecision>, string>> & Readonly<Partial<Record<DeathDecision, string>>>;
}

/** The longest blackout when neither the user nor the guest's config names one; milliseconds. */
export const DEFAULT_MAX_DOWNTIME_MS = 300;

/** The options that a user did not name. */
export const DEFAULT_MIGRATION_OPTIONS: MigrationOptions = {
  online: false,
  restart: false,
  shutdownTimeoutMs: 180_000,
  onShutdownTimeout: 'fail',
  presync: true,
  keepSource: false,
  targetStorage: '',
  type: 'secure',
  network: null,
  bandwidthLimit: null,
  maxDowntimeMs: null,
  timeoutMs: 0,
  onStall: 'abort',
  ignoreBlackout: false,
  hold: false,
};
