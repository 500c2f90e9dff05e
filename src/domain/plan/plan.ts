import type { NodeName, Vmid } from '../ids.js';

/**
 * How a guest moves. `live`: it runs on; `restart`: it is shut down, moved and started; `offline`: it is off anyway.
 */
export type MoveWay = 'live' | 'restart' | 'offline';

/** Why a guest can't, or should rather not, run on a node. */
export interface Rejection {
  readonly node: NodeName;
  readonly reason: string;
}

export interface PlannedMove {
  readonly vmid: Vmid;
  readonly from: NodeName;
  readonly to: NodeName;
  readonly way: MoveWay;
  /** Memory and disks that travel, bytes. */
  readonly bytes: number;
  /** Why it moves, and why there. */
  readonly reason: string;
  /** Nodes that were no choice. */
  readonly rejected: readonly Rejection[];
  /** Moves of this plan that must have ended before it may begin, by their place in the plan from 0. */
  readonly after: readonly number[];
}

/** A guest that stays although it should go. */
export interface Unplanned {
  readonly vmid: Vmid;
  readonly node: NodeName;
  /** `shut-down`: it stays and is shut down, as its policy says; `wait`: it stays until its policy is overruled; `stuck`: nothing can be done for it. */
  readonly outcome: 'shut-down' | 'wait' | 'stuck';
  readonly reason: string;
  readonly rejected: readonly Rejection[];
}

/** Moves in an order in which no node ever has more than it can hold. Moves that wait for none may run at the same time. */
export interface Plan {
  readonly moves: readonly PlannedMove[];
  readonly unplanned: readonly Unplanned[];
  /** Fullness of each node before and after, 0 to 1 and above: the greater share of memory and processors. */
  readonly nodes: readonly { readonly node: NodeName; readonly before: number; readonly after: number }[];
}
