/**
 * The activities as workflows see them: types only. Every call takes one plain JSON object.
 * Which profile (ping, idempotent, resumable, once) a call runs under is decided in workflows/activity-options.ts.
 *
 * Errors reach the workflow as ApplicationFailure whose `type` is an ErrorCode of src/domain/error-codes.ts.
 */
import type { AuditedNode } from '../src/domain/audit-types.js';
import type { RsyncLook } from '../src/domain/check-rsync.js';
import type { GuestStorage } from '../src/domain/check-storages.js';
import type { Finding } from '../src/domain/checks.js';
import type { CopyLimits } from '../src/domain/forecast.js';
import type { GuestNeeds } from '../src/domain/guest-needs.js';
import type { Generation, MigrationId, NodeName, Vmid } from '../src/domain/ids.js';
import type { LostGuests, TakeOverRequest, TakeOverResult } from '../src/domain/lost-guest.js';
import type { LinkFacts } from '../src/domain/link-facts.js';
import type { BlackoutReport, CopyOptions, CopyRound, MigrationKind, MigrationOptions } from '../src/domain/migration.js';
import type { CopiedVolume, MovingVolume } from '../src/domain/moving-volume.js';
import type { GuestSummary, NodeInventory } from '../src/domain/node-facts.js';
import type { GuestKind, GuestView, Revoked, Wanted } from '../src/domain/ownership.js';
import type { NodeRepairRequest, RepairResult } from '../src/domain/repair.js';
import type { RsyncFacts } from '../src/domain/rsync-facts.js';
import type { NodeProbe } from '../src/domain/suspect-node.js';
import type { StreamLayout } from '../src/domain/stream-layout.js';

/** Order of one step among all steps of its guest: (generation, sequence, attempt); the attempt comes from Temporal. */
export interface StepRef {
  readonly vmid: Vmid;
  readonly migrationId: MigrationId;
  /** The generation that the claim issues to the target (g+1). */
  readonly generation: Generation;
  /** Counts the activity calls of one workflow, from 1: a later call fences an earlier one. */
  readonly sequence: number;
}

/** The two ends of a migration, by role. */
export type MigrationRole = 'source' | 'target';

/** What the node that is left says of a migration whose other node is not heard. */
export interface DoubtExamination {
  readonly view: GuestView;
  /** What the other node answers over the peer channel; null: nothing. */
  readonly peer: GuestView | null;
  /** What would happen here if the other node were known to be off; `possible`: the guest could go on here. */
  readonly alone: { readonly possible: boolean; readonly what: string };
}

/** Run on the queue `node-<name>-ctl`: short calls. */
export interface NodeControlActivities {
  /** Never ends: its heartbeat details are the node's inventory. */
  presence(input: { node: NodeName; bootId: string }): Promise<never>;
  /** Facts and findings of the source side; takes no lock and changes nothing. `generation` is that of its record. */
  inspectSource(input: { vmid: Vmid; target: NodeName; options: MigrationOptions }): Promise<SourceInspection>;
  /** Facts and findings of the target side; changes nothing. */
  inspectTarget(input: { vmid: Vmid; source: NodeName; options: MigrationOptions }): Promise<TargetInspection>;
  /** Does another node answer this one, at any of its addresses? Changes nothing. */
  probeNode(input: { node: NodeName }): Promise<NodeProbe>;
  /** What this node's shared storages and records say of the guests of a lost node. Changes nothing. */
  listLostGuests(input: { lost: NodeName }): Promise<LostGuests>;
  /** Takes a lost node's guest over, whose record there is void by then, and starts it. Repeatable. */
  takeOverLost(input: TakeOverRequest): Promise<TakeOverResult>;
  /**
   * Marks the source's record as claimed by this migration. Refuses unless it is owned(g) unclaimed or claimed by us. `checked`: the config
   * as the checks have seen it; a guest that has other volumes since is refused.
   */
  claimGuest(input: { step: StepRef; target: NodeName; mode?: 'offline'; checked?: string }): Promise<ClaimResult>;
  /** Undo of `claimGuest`: settles the source to owned(g+2), unclaimed, guest as wanted; "never happened" is fine. */
  unclaimGuest(input: { step: StepRef; target: NodeName; mode?: 'offline'; dead?: 'target' }): Promise<void>;
  /** Writes incoming(g+1), config copy, and starts QEMU listening; answers where. */
  prepareTarget(input: {
    step: StepRef;
    source: NodeName;
    config: string;
    wanted: Wanted;
    runningMachine: string | null;
    /** Version of the QEMU that sends. */
    sourceQemu: string;
    options: MigrationOptions;
  }): Promise<PreparedTarget>;
  /** For a guest that is moved switched off: writes incoming(g+1), journals the names of its volumes, makes them empty, and the config copy. */
  prepareCopy(input: {
    step: StepRef;
    source: NodeName;
    kind: GuestKind;
    config: string;
    wanted: Wanted;
    volumes: readonly MovingVolume[];
    targetStorage: string;
  }): Promise<PreparedCopy>;
  /** Undo of both preparations: revoked(g+1), QEMU seen gone, config and devices removed; "never happened" is fine. */
  revokeTarget(input: { step: StepRef; source: NodeName }): Promise<{ ran: Revoked }>;
  /** Undo of `copyAndSwitchOver` on the source: the stream is cancelled and the guest seen running as before. */
  cancelStream(input: { step: StepRef; target: NodeName; dead?: 'target' }): Promise<void>;
  /** Hands a guest over that is off, its disks copied and verified: armed, released, owned, each durable. `rolled-back`: the source has it as before. */
  handOverCopy(input: { step: StepRef; target: NodeName }): Promise<void>;
  /** On the target, after a hand-over: starts the guest if it is wanted running. */
  startMoved(input: { step: StepRef }): Promise<{ startedAt: string | null }>;
  /**
   * Lasts until a guest that is held before its shutdown goes off, which nobody has told it to; by event. A cancel ends it, it changes nothing but
   * that a guest which has shut itself down is wanted stopped.
   */
  watchHeldGuest(input: { step: StepRef }): Promise<HeldGuestEnd>;
  /** Lets a held pre-copy go on to its end. */
  releaseHold(input: { step: StepRef }): Promise<void>;
  /**
   * After a switchover with an unknown outcome: asks both nodes, decides by the table, acts, until settled. Retried. `dead`: that node is off for
   * good and its record void; it counts as fenced, unless it answers.
   */
  settleMigration(input: { step: StepRef; source: NodeName; target: NodeName; askedOn: MigrationRole; dead?: MigrationRole }): Promise<SettledMigration>;
  /** Changes nothing: what this node knows of a migration in doubt, and what it could do alone. */
  examineDoubt(input: { vmid: Vmid; migrationId: MigrationId; generation: Generation; source: NodeName; target: NodeName }): Promise<DoubtExamination>;
  /** On the target, when the source is off for good and its record void: takes a guest over whose verified copy is here, and starts it if it is wanted running. */
  takeOverCopy(input: { step: StepRef; source: NodeName }): Promise<{ startedAt: string | null }>;
  /** The target runs the guest (or holds it paused as wanted) and has announced it to the network. */
  confirmTarget(input: { step: StepRef; source: NodeName }): Promise<{ announced: boolean }>;
  /**
   * Source QEMU seen gone, config, devices and journal of this guest removed; only after the target's `owned` is durable. `volumes`: copied
   * ones that go; `kept`: that stay by choice, and are noted as such.
   */
  releaseSource(input: { step: StepRef; target: NodeName; volumes?: readonly CopiedVolume[]; kept?: readonly CopiedVolume[] }): Promise<void>;
  /** Guest verbs for the CLI, executed by the owner's worker. */
  manageGuest(input: GuestCommand): Promise<GuestCommandResult>;
  /** Everything that `kedge audit` compares, of this node. */
  auditNode(input: { node: NodeName }): Promise<NodeAudit>;
  /** One repair of what an audit has found here, after a new look under the guest's lock. Repeatable. */
  repairNode(input: NodeRepairRequest): Promise<RepairResult>;
}

/** Run on the queue `node-<name>-bulk` of the source: long and resumable. */
export interface NodeBulkActivities {
  /**
   * Starts or re-attaches to the RAM stream; once it has converged (and the hold, if any, was released) pauses the guest,
   * makes the final sync, hands over and resumes: one activity, so that no Temporal round trip lies between "converged" and
   * "paused" (QEMU pauses a light guest by itself, docs/decisions/0003). It is resumable: an attempt looks at records and QEMU
   * first and settles what a lost attempt left.
   *
   * Returns only when the target owns the guest. Throws one of `DEFINITE_COPY_FAILURES` when the source surely owns and runs
   * the guest as before (cancellation included, type `cancelled`); after any other failure the outcome is unknown: settleMigration.
   * A cancellation is honoured until `migrate-continue` was sent; later it is ignored and the call completes.
   */
  copyAndSwitchOver(input: { step: StepRef; target: NodeName; prepared: PreparedTarget; options: CopyOptions; deadline: string | null }): Promise<CopyResult>;
}

/** Also run on the bulk queue of the source: the steps of a guest that is moved switched off, each resumable. */
export interface NodeOfflineActivities {
  /**
   * Copies the disks; `final`: the last pass, after the shutdown. Goes on from the bytes that are there. `thorough`: after a copy was found to
   * differ, compares what every file holds, however equal it looks.
   */
  copyVolumes(input: OfflineStep & { prepared: PreparedCopy; final: boolean; thorough?: boolean }): Promise<CopiedVolumes>;
  /** Has the guest shut down and writes `releasing`; `shutdown-timeout`: it runs on. */
  shutDownGuest(input: OfflineStep): Promise<ShutDownResult>;
  /** Compares the whole of every volume and publishes the copies; `copy-differs` names one. */
  verifyCopy(input: OfflineStep & { prepared: PreparedCopy }): Promise<{ verified: number }>;
}

export interface OfflineStep {
  readonly step: StepRef;
  readonly target: NodeName;
  readonly options: CopyOptions;
}

/** Failure types of copyAndSwitchOver after which the guest surely runs on at the source, which still owns it. */
export const DEFINITE_COPY_FAILURES = ['stream-failed', 'stream-stalled', 'not-converging', 'deadline-exceeded', 'cancelled', 'rolled-back'] as const;

export type NodeActivities = NodeControlActivities & NodeBulkActivities & NodeOfflineActivities;

export interface SourceInspection {
  readonly findings: readonly Finding[];
  /** Null when the source cannot say: then a finding tells why. */
  readonly guest: {
    readonly name: string;
    readonly generation: Generation;
    readonly wanted: Wanted;
    readonly config: string;
    readonly runningMachine: string | null;
    /** Version of the QEMU that runs the guest; of the node's while it is off. */
    readonly qemuVersion: string;
    readonly memoryBytes: number;
    readonly bridges: readonly string[];
    /** Storage ids with their identity markers as the source reads them, for comparison with the target's. */
    readonly storages: readonly GuestStorage[];
    /** Absent from an older Kedge, as are all optional facts. */
    readonly needs?: GuestNeeds;
    /** Memory that the guest's process has touched; null while it is off. */
    readonly touchedBytes?: number | null;
    /** What the copy may take, by the options and the node's files. */
    readonly limits?: CopyLimits;
    /** How it moves; null: not in the way that was asked for, a finding says why. Absent from a worker that knows only the live way. */
    readonly movement?: MigrationKind | null;
    readonly kind: GuestKind;
    /** The volumes that are copied when it moves switched off: those on storages that the nodes don't share. */
    readonly volumes: readonly MovingVolume[];
  } | null;
  readonly inventory: NodeInventory;
  /** The way to the target; absent where it is the source. */
  readonly link?: LinkFacts;
  readonly rsync?: RsyncLook;
}

export interface TargetInspection {
  readonly findings: readonly Finding[];
  readonly inventory: NodeInventory;
  readonly view: GuestView;
  /** Volumes of this guest's number on the target's own storages. */
  readonly volumes?: readonly string[];
  /** The way back to the source. */
  readonly link?: LinkFacts;
  readonly rsync?: RsyncLook;
}

export interface ClaimResult {
  readonly generation: Generation;
  readonly wanted: Wanted;
  readonly config: string;
}

export interface PreparedTarget extends StreamLayout {
  /** Address and port on the migration network. */
  readonly host: string;
  readonly port: number;
  readonly tlsHostname: string | null;
}

/** The copies of the volumes, made empty on the target. */
export interface PreparedCopy {
  readonly volumes: readonly CopiedVolume[];
  /** What the target's rsync can do; null: there is nothing to copy, and need not be one. */
  readonly rsync: RsyncFacts | null;
}

/** Passes over the disks that were made in one call. */
export interface CopiedVolumes {
  readonly rounds: readonly CopyRound[];
  readonly bytesSent: number;
}

/** A held guest is off. `wanted`: `stopped` when it has shut itself down; else it has crashed, or its node has restarted. */
export interface HeldGuestEnd {
  readonly wanted: Wanted;
}

export interface ShutDownResult {
  /** RFC 3339. */
  readonly offAt: string;
  /** It was off, and this migration had not told it to: since when nobody knows. */
  readonly foundOff?: true;
}

/** A finished copy with its switchover. */
export interface CopyResult {
  readonly rounds: readonly CopyRound[];
  readonly bytesSent: number;
  readonly reattached: number;
  /** Forecast made when the stream had converged, to be compared with what happened; milliseconds. */
  readonly expectedBlackoutMs: number;
  readonly blackout: BlackoutReport;
  /** When the switchover began (RFC 3339) and how long it took until the target's answer; milliseconds. */
  readonly switchoverAt: string;
  readonly switchoverMs: number;
  /** The target was seen running (or paused, as wanted) and has announced itself. */
  readonly confirmed: boolean;
}

/** Where the guest is after a settlement. */
export type SettledMigration =
  | { readonly outcome: 'target-owns'; readonly memoryLost: boolean; readonly blackout: BlackoutReport | null }
  | { readonly outcome: 'source-owns'; readonly memoryLost: boolean; readonly reason: string };

export const GUEST_VERBS = ['create', 'start', 'stop', 'shutdown', 'pause', 'resume', 'destroy', 'show'] as const;
export interface GuestCommand {
  readonly verb: (typeof GUEST_VERBS)[number];
  readonly vmid: Vmid;
  /** PVE grammar; only with `create`. */
  readonly config?: string;
  /** What the config describes; only with `create`, default `qemu`. */
  readonly kind?: GuestKind;
  /** Only with `shutdown`. */
  readonly timeoutMs?: number;
}
export interface GuestCommandResult {
  readonly guest: GuestSummary | null;
  readonly config: string | null;
}

/** What one node has of everything that could be left behind. */
export interface NodeAudit extends AuditedNode {
  readonly bootId: string;
  readonly views: readonly GuestView[];
}
