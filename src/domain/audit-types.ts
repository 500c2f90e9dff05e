/** Input and output of the audit. Plain JSON. */
import type { GuestMarker } from './guest-note.js';
import type { NodeName, Vmid } from './ids.js';
import type { GuestSummary } from './node-facts.js';
import type { GuestKind, GuestView } from './ownership.js';
import type { Repair } from './repair.js';

/** What one node has; the part of the activity `auditNode`'s answer that is judged. */
export interface AuditedNode {
  readonly node: NodeName;
  readonly guests: readonly GuestSummary[];
  /** QEMU processes of Kedge: those whose command line carries its marker. */
  readonly processes: readonly AuditedProcess[];
  /** Files in the guests' run folders: sockets, pid files, logs. Paths are absolute, or relative to the root of Kedge that they are in. */
  readonly sockets: readonly string[];
  /** Paths of guest configs, of contents that wait for their rename, and of copies of disks that come in. */
  readonly files: readonly string[];
  /** Names of network interfaces. */
  readonly interfaces: readonly string[];
  /** All nftables tables in the node's network namespace, as `<family> <name>`. */
  readonly nftTables: readonly string[];
  /** TCP ports on which QEMU processes listen. */
  readonly ports: readonly number[];
  /** Streams, copies of volumes and permissions to write to them that are open, and claims of guests that are not here. */
  readonly journalOpen: readonly AuditedJournalEntry[];
  /**
   * Disks on the node's own storages of guests that it neither has nor receives; `identity`: of the storage; `keptBy`: the migration that was
   * asked to keep it. Absent from an older Kedge, as the next.
   */
  readonly volumes?: readonly { readonly vmid: number; readonly volumeId: string; readonly identity: string; readonly keptBy: string | null }[];
  /** What lies beside the disks of guests on the shared storages that the node sees; what says the same as its own records is left out. */
  readonly notes?: readonly AuditedNote[];
  /** Shared storages whose notes could not be read. */
  readonly notesUnread?: readonly { readonly storage: string; readonly reason: string }[];
  /** Markers of all storages that the node sees. */
  readonly storageIdentities?: readonly string[];
  /** Record and process of every guest with a record or a config, tombstones too. Absent from an older Kedge, as the next ones. */
  readonly views?: readonly GuestView[];
  /** SHA-256 of each guest config: equal means a copy, to the byte. */
  readonly configs?: readonly { readonly vmid: number; readonly digest: string }[];
  /** Those of `interfaces` that nobody holds open, and no other network namespace has an end of. */
  readonly idleInterfaces?: readonly string[];
  /** The copies of disks that come in, of those in `files`. */
  readonly incoming?: readonly { readonly vmid: number; readonly volumeId: string; readonly migrationId: string; readonly path: string }[];
}

/** The note of one guest on one shared storage, as one node sees it. */
export interface AuditedNote {
  readonly vmid: number;
  /** Name of the storage, and its own marker, by which two nodes know that they see the same one; null: it could not be read. */
  readonly storage: string;
  readonly identity: string | null;
  /** Null: there is a config, and no marker. */
  readonly newest: GuestMarker | null;
  /** Of the guest in its config; null: there is no config. */
  readonly kind: GuestKind | null;
  /** Null: nobody can tell whether a disk of the guest is there still. */
  readonly hasDisks: boolean | null;
  /** Why it could not be understood; null: it could. */
  readonly unreadable: string | null;
}

export interface AuditedProcess {
  readonly pid: number;
  readonly vmid: number | null;
  readonly command: string;
  readonly incoming: boolean;
  /** With the pid, what it is known by. Absent from an older Kedge, as the next ones. */
  readonly startTime?: number;
  /** Is it the one that this node's worker takes for the guest? Another one of the same number was started by somebody else. */
  readonly own?: boolean;
  /** Its monitor says that it waits for a stream: its guest has surely never run in it. */
  readonly waiting?: boolean;
}

export interface AuditedJournalEntry {
  readonly vmid: number;
  /** Empty where it is not known. */
  readonly migrationId: string;
  readonly what: string;
  /** Absent from an older Kedge. */
  readonly journal?: JournalKind;
  /** Tells entries of one kind apart: the path that a permission is for, the order of a claim. */
  readonly key?: string;
}

export const JOURNAL_KINDS = ['stream', 'volumes', 'claim', 'grant'] as const;
export type JournalKind = (typeof JOURNAL_KINDS)[number];

/** A schedule of Temporal that starts a workflow of Kedge. */
export interface AuditedSchedule {
  readonly scheduleId: string;
  readonly workflowType: string;
  /** Guest and nodes that its input names. */
  readonly vmid: number | null;
  readonly nodes: readonly string[];
  readonly paused: boolean;
}

export interface AuditInput {
  readonly nodes: readonly AuditedNode[];
  /** Nodes of the cluster that gave no answer. */
  readonly unreached: readonly { readonly node: NodeName; readonly reason: string }[];
  /** Workflows `migrateGuest` that have not ended; `parked`: waits for an operator. */
  readonly migrations: readonly RunningMigration[];
  /** Slots that admission has granted; null when it gave no answer. */
  readonly slots: readonly AuditedSlot[] | null;
  readonly schedules: readonly AuditedSchedule[];
  /** Looked for only where notes are doubtful. */
  readonly recoveries?: readonly RunningRecovery[];
}

/** A recovery of a node that runs; `owed`: the guests that wait for a new owner, null: it does not say. */
export interface RunningRecovery {
  readonly node: NodeName;
  readonly owed: readonly number[] | null;
}

export interface AuditedSlot {
  /** Workflow id and run of the holder. */
  readonly holder: string;
  readonly runId: string;
  readonly nodes: readonly NodeName[];
  /** Does that run still run? */
  readonly running: boolean;
}

export interface RunningMigration {
  readonly vmid: Vmid;
  readonly migrationId: string | null;
  readonly parked: boolean;
  /** Its run. */
  readonly runId: string;
}

export const LEFTOVER_KINDS = [
  'two-runners',
  'two-owners',
  'no-owner',
  'owner-without-config',
  'record-unsettled',
  'record-unreadable',
  'guest-down',
  'monitor-silent',
  'stray-process',
  'incoming-process',
  'socket',
  'pid-file',
  'tap',
  'nft-table',
  'config-copy',
  'volume-left',
  'volume-orphan',
  'note-lost',
  'note-stale',
  'note-ahead',
  'note-unreadable',
  'notes-not-audited',
  'temp-file',
  'journal-open',
  'port',
  'node-not-audited',
  'migration-parked',
  'slot-leaked',
  'slots-not-audited',
  'workflow-orphan',
  'schedule-orphan',
] as const;
export type LeftoverKind = (typeof LEFTOVER_KINDS)[number];

/** One thing that is where it should not be. `node` is null when it is not on a node. */
export interface Leftover {
  /** Stays the same for as long as the thing is there: kind, node, guest, and what tells it from others of its kind. */
  readonly id: string;
  readonly node: NodeName | null;
  readonly vmid: number | null;
  readonly kind: LeftoverKind;
  /** The thing itself: path, pid, record. */
  readonly what: string;
  readonly meaning: string;
  /** What an operator can do. */
  readonly remedy: string;
  /** What `--repair` does; null: nothing that is safe. */
  readonly repair: Repair | null;
}

/** A leftover as its judge describes it. */
export interface AuditFinding extends Omit<Leftover, 'id' | 'repair'> {
  /** Last part of the id; left out where node and guest have one such thing. */
  readonly key?: string | number;
  readonly repair?: Repair | null;
}

/** A disk that a migration was asked to leave at its source. */
export interface KeptCopy {
  readonly node: NodeName;
  readonly vmid: number;
  readonly volumeId: string;
  readonly migrationId: string;
}
