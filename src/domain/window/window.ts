/** What a maintenance window is: when it opens, for how long, on which nodes, and what happens there. Plain JSON. */
import type { EvacuateNodeInput } from '../evacuation.js';
import type { NodeName } from '../ids.js';

/** What is done on an empty node. */
export type WindowWork =
  /** `repeatable`: the command may run twice; otherwise a lost answer is the operator's to judge. */
  | { readonly kind: 'command'; readonly command: string; readonly timeoutMs: number; readonly repeatable: boolean }
  /** Done when the node has registered another boot and is heard. */
  | { readonly kind: 'reboot'; readonly command: string; readonly timeoutMs: number }
  /** Done when somebody says so (`kedge window done`). */
  | { readonly kind: 'human'; readonly note: string };

/** Has to exit with 0 on the node before guests come back. */
export interface HealthCheck {
  readonly command: string;
  readonly timeoutMs: number;
}

export interface WindowDefinition {
  readonly name: string;
  /** IANA name. */
  readonly zone: string;
  /** Local time of the first occurrence, without a zone: `2026-12-01T22:00`. */
  readonly start: string;
  /** RRULE of RFC 5545; null: only once, at `start`. */
  readonly rule: string | null;
  readonly durationMs: number;
  /** Null: all nodes of the cluster, as they are when the window opens. */
  readonly nodes: readonly NodeName[] | null;
  /** How many nodes are out of service at a time. */
  readonly atOnce: number;
  readonly work: WindowWork;
  readonly healthCheck: HealthCheck | null;
  /** What becomes of guests that a drain would wait for without end, when half of what was left of the window is over. */
  readonly force: NonNullable<EvacuateNodeInput['force']>;
  /** Moves of a drain, and of a restore, at a time; null: as many as these do by themselves. */
  readonly parallel: number | null;
  /** Bring the guests home when the node is done; otherwise they stay where they are. */
  readonly restore: boolean;
  /** Opens no later than so long after its time; later it was missed. */
  readonly lateMs: number;
  /** Does a node whose work failed stop the roll? */
  readonly onFailure: 'stop' | 'continue';
}

/** A span in which a window is open: both RFC 3339, in UTC. */
export interface Occurrence {
  readonly opensAt: string;
  readonly closesAt: string;
}

/** What became of one node. */
export type NodeResult =
  | 'done'
  /** Guests stayed, or the node was not heard: nothing was done there. */
  | 'not-touched'
  /** Its work or its health check failed: it stays cordoned. */
  | 'failed'
  /** Another window, or somebody, is at work there. */
  | 'busy'
  | 'out-of-time'
  | 'cancelled';

export interface NodeOutcome {
  readonly node: NodeName;
  readonly result: NodeResult;
  /** In words; null when there is nothing to add. */
  readonly reason: string | null;
  /** The last of what the work printed; in the report of a window only of what failed, and shorter. The whole of it is what `upkeep-<node>` answers. */
  readonly output: string | null;
}

export type WindowEnd = 'done' | 'some-left' | 'failed' | 'cancelled' | 'missed';

/** What a run of a window answers, and its memo while it runs. The next run reads `finished` of it: the round goes on. */
export interface WindowReport {
  readonly window: string;
  readonly opensAt: string;
  readonly closesAt: string;
  /** Null while it runs. */
  readonly end: WindowEnd | null;
  readonly outcomes: readonly NodeOutcome[];
  readonly atWork: readonly NodeName[];
  /** Nodes that are done in this round, in earlier windows too. When each node has had its turn, the next window begins a new round. */
  readonly finished: readonly NodeName[];
  /** Nodes that have had their turn in this round and are not done; absent from reports of an older Kedge. */
  readonly passedOver?: readonly NodeName[];
  /** Why the schedule could not be kept up to date, if it could not. */
  readonly warning: string | null;
}

/** What the operator says of a node that waits for it: the work is done, has failed, or is to be tried again. */
export const WORK_ANSWERS = ['done', 'failed', 'again'] as const;
export type WorkAnswer = (typeof WORK_ANSWERS)[number];

/** Where one node is in its maintenance; the memo of its workflow. */
export interface UpkeepProgress {
  readonly window: string;
  readonly node: NodeName;
  readonly phase: 'draining' | 'working' | 'checking' | 'restoring' | 'waiting-for-operator';
  /** What is asked, while it waits. */
  readonly question: string | null;
  /** Since when it is asked; absent from windows of an older Kedge. */
  readonly since?: string | null;
}

/** Input of `maintainNodes`, kept by the window's schedule. `file`: the window as people write it, read anew at each opening. */
export interface ScheduledWindow {
  readonly file: Readonly<Record<string, unknown>>;
  /** `opensAt` of occurrences that are left out. */
  readonly skipped: readonly string[];
  /** Another one for each change, so that a change which another overtook is seen. */
  readonly revision: string;
}

/** How many occurrences the schedule knows in advance; each opening brings them up to date. */
export const SCHEDULED_AHEAD = 60;

/** What one node of a window is to go through; input of `maintainNode`. `force` and `parallel` are absent from windows of an older Kedge. */
export interface Upkeep extends Pick<WindowDefinition, 'work' | 'healthCheck' | 'restore'>, Partial<Pick<WindowDefinition, 'force' | 'parallel'>> {
  readonly window: string;
  readonly node: NodeName;
  readonly closesAt: string;
}
