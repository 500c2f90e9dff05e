/** Emptying a node and bringing its guests home: input and report of the workflows `evacuateNode` and `restoreNode`. Plain JSON. */
import type { SlotPriority } from './admission.js';
import type { ErrorCode } from './error-codes.js';
import type { NodeName, Vmid } from './ids.js';
import type { MigrationOptions } from './migration.js';
import type { WorkflowTimings } from './workflow-timings.js';

/** Input of both workflows, as typed by the CLI or by `temporal workflow start`. */
export interface EvacuateNodeInput {
  readonly node: string;
  readonly requestedBy?: string;
  /** Whose turn the moves are when slots are rare; default `maintenance`. */
  readonly priority?: SlotPriority;
  /** RFC 3339. No move begins that is not expected to end before; what is under way goes on to its end. Absent: no limit. */
  readonly until?: string;
  /** Moves at a time; admission may allow fewer. Default 2. */
  readonly parallel?: number;
  /** RFC 3339. From then on guests whose policy is `wait` are treated by `force`. Absent: they are waited for without end. */
  readonly waitUntil?: string;
  /** What becomes of waiting guests at `waitUntil`; default `skip`: they stay, and the report says so. */
  readonly force?: 'offline' | 'shutdown' | 'skip';
  /** Options of every move, as a migration has them; how a guest moves the plan decides. */
  readonly options?: Partial<MigrationOptions>;
  /** For tests only: shorter waits than the defaults. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** A guest that has moved. */
export interface EvacuatedGuest {
  readonly vmid: Vmid;
  readonly from: NodeName;
  readonly to: NodeName;
  /** Id of the migration as users type it. */
  readonly migration: string;
}

/** A guest that is where it was, with the reason in words. */
export interface StayedGuest {
  readonly vmid: Vmid;
  readonly reason: string;
}

/** A move that failed; the guest is where it was, and may have moved elsewhere since. */
export interface FailedMove {
  readonly vmid: Vmid;
  readonly to: NodeName;
  readonly code: ErrorCode;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
}

/** How the whole came to its end. `cancelled` and `out-of-time` leave the node cordoned and tell who is still there. */
export type EvacuationEnd = 'done' | 'some-stayed' | 'cancelled' | 'out-of-time';

/** What both workflows answer, and their query `evacuation` while they run. */
export interface EvacuationReport {
  readonly plan: 'evacuate' | 'restore';
  readonly node: NodeName;
  readonly requestedBy: string;
  readonly startedAt: string;
  /** Null while it runs. */
  readonly endedAt: string | null;
  readonly end: EvacuationEnd | null;
  readonly moved: readonly EvacuatedGuest[];
  /** Shut down and left on the node, by their own policy. */
  readonly shutDown: readonly Vmid[];
  readonly moving: readonly EvacuatedGuest[];
  /** While it runs: who has not moved yet, and what for. */
  readonly stayed: readonly StayedGuest[];
  readonly failed?: readonly FailedMove[];
}
