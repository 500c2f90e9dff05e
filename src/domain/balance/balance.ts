/** Evening out how full nodes are: input and report of the workflow `balanceCluster`. Plain JSON. */
import type { EvacuatedGuest, FailedMove, StayedGuest } from '../evacuation.js';
import type { NodeName } from '../ids.js';
import type { MigrationOptions } from '../migration.js';
import type { WorkflowTimings } from '../workflow-timings.js';
import type { LoadMemory } from './load-memory.js';

/** Input of `balanceCluster`, as typed by the CLI, by `temporal workflow start`, or given by the balancer. */
export interface BalanceClusterInput {
  readonly requestedBy?: string;
  /** At most so many guests move. Default 10. */
  readonly maxMoves?: number;
  /** Fullness (0 to 1) of the fullest node above the mean of all at which it is enough. Default 0.1. */
  readonly tolerance?: number;
  /** Moves at a time; admission may allow fewer. Default 2. */
  readonly parallel?: number;
  /** RFC 3339. No move begins that is not expected to end before. Absent: no limit. */
  readonly until?: string;
  /** Options of every move, as a migration has them. */
  readonly options?: Partial<MigrationOptions>;
  /** Guests that are left alone, and why. */
  readonly leave?: readonly StayedGuest[];
  /** Loads to go by; absent: those of the beginning. Never those that its own moves cause. */
  readonly memory?: LoadMemory;
  /** For tests only: shorter waits than the defaults. */
  readonly timings?: Partial<WorkflowTimings>;
}

/**
 * `done`: no node is fuller than the tolerance allows. `no-better`: one is, and no move is worth its cost, or allowed. `most-moves`: the limit is
 * reached. `failing`: so many moves failed that something else is wrong. `blackout`: what would move next may not, see `stayed`.
 */
export type BalanceEnd = 'done' | 'no-better' | 'most-moves' | 'failing' | 'blackout' | 'out-of-time' | 'cancelled';

export interface NodeBalance {
  readonly node: NodeName;
  /** 0 to 1 and above: the greater share of memory and processors that guests have of it. */
  readonly before: number;
  readonly now: number;
}

/** What the workflow answers, and its query `balance` while it runs. */
export interface BalanceReport {
  readonly requestedBy: string;
  readonly startedAt: string;
  /** Null while it runs. */
  readonly endedAt: string | null;
  readonly end: BalanceEnd | null;
  readonly nodes: readonly NodeBalance[];
  readonly moved: readonly EvacuatedGuest[];
  readonly moving: readonly EvacuatedGuest[];
  readonly failed: readonly FailedMove[];
  /** Guests whose moves were planned and not begun, and why. */
  readonly stayed: readonly StayedGuest[];
}

/** The balance that runs, or ran last, as it is seen from outside. */
export interface BalanceView {
  readonly running: boolean;
  /** Null while no control worker answers, and when it failed before it had one. */
  readonly report: BalanceReport | null;
  /** RFC 3339; null while it runs. */
  readonly endedAt: string | null;
  /** Why it failed as a whole, in words. */
  readonly failure: string | null;
}

/** What is durable of the balancer beside its memory: where it stands, as its workflow's memo has it. */
export interface BalancerNote {
  /** When it looked last, RFC 3339; null: not yet. */
  readonly at: string | null;
  /** What it found, and what it does about it, in words. */
  readonly text: string;
  /** Guests that it leaves alone for a time. */
  readonly cooling: number;
}
