/** Input and output of the audit. Plain JSON. */
import type { NodeName, Vmid } from './ids.js';
import type { GuestSummary } from './node-facts.js';

/** What one node has; the part of the activity `auditNode`'s answer that is judged. */
export interface AuditedNode {
  readonly node: NodeName;
  readonly guests: readonly GuestSummary[];
  /** QEMU processes of Kedge: those whose command line carries its marker. */
  readonly processes: readonly { readonly pid: number; readonly vmid: number | null; readonly command: string; readonly incoming: boolean }[];
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
  /** Streams, copies of volumes and permissions to write to them that are open; `migrationId` is empty where it is not known. */
  readonly journalOpen: readonly { readonly vmid: number; readonly migrationId: string; readonly what: string }[];
  /**
   * Disks on the node's own storages of guests that it neither has nor receives; `identity`: of the storage; `keptBy`: the migration that was
   * asked to keep it. Absent from an older Kedge, as the next.
   */
  readonly volumes?: readonly { readonly vmid: number; readonly volumeId: string; readonly identity: string; readonly keptBy: string | null }[];
  /** Markers of all storages that the node sees. */
  readonly storageIdentities?: readonly string[];
}

export interface AuditInput {
  readonly nodes: readonly AuditedNode[];
  /** Nodes of the cluster that gave no answer. */
  readonly unreached: readonly { readonly node: NodeName; readonly reason: string }[];
  /** Workflows `migrateGuest` that have not ended; `parked`: waits for an operator. */
  readonly migrations: readonly RunningMigration[];
  /** Slots that admission has granted; null when it gave no answer. */
  readonly slots: readonly AuditedSlot[] | null;
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
}

export const LEFTOVER_KINDS = [
  'two-runners',
  'two-owners',
  'no-owner',
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
  'temp-file',
  'journal-open',
  'port',
  'node-not-audited',
  'migration-parked',
  'slot-leaked',
  'slots-not-audited',
] as const;
export type LeftoverKind = (typeof LEFTOVER_KINDS)[number];

/** One thing that is where it should not be. `node` is null when it is not on a node. */
export interface Leftover {
  readonly node: NodeName | null;
  readonly vmid: number | null;
  readonly kind: LeftoverKind;
  /** The thing itself: path, pid, record. */
  readonly what: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** A disk that a migration was asked to leave at its source. */
export interface KeptCopy {
  readonly node: NodeName;
  readonly vmid: number;
  readonly volumeId: string;
  readonly migrationId: string;
}
