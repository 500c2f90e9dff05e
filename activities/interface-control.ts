/** The activities of the control worker as workflows see them: types only, as in interface.ts. */
import type { SlotRelease, SlotRequest } from '../src/domain/admission.js';
import type { BalancerState } from '../src/domain/balance/judge-cluster.js';
import type { BalanceQuestion, BalanceSteps } from '../src/domain/balance/next-balance.js';
import type { DrainQuestion, NextSteps } from '../src/domain/drain/next-steps.js';
import type { ClusterEvent } from '../src/domain/events/event.js';
import type { FencingReport } from '../src/domain/fence-test.js';
import type { MigrationId, NodeName, Vmid } from '../src/domain/ids.js';
import type { GuestSummary, LastSeenGuest, NodeStatus } from '../src/domain/node-facts.js';
import type { RecoveryPolicy } from '../src/domain/recovery.js';
import type { LostPlace, LostPlacesQuestion } from '../src/domain/plan/place-lost.js';
import type { ScheduledWindow, WindowDefinition } from '../src/domain/window/window.js';
import type { OpenBlackout } from '../src/domain/window/blackout.js';
import type { WatchedBalance } from './control/watch-balance.js';
import type { VoidedGuest } from '../src/domain/voided-guest.js';

/** Runs on the queue `control`, inside the control worker. */
export interface ControlActivities {
  /** Finds the guest in the nodes' inventories, and both nodes' states; without a target only the guest. */
  surveyCluster(input: { vmid: Vmid; source: NodeName | null; target: NodeName | null }): Promise<ClusterSurvey>;
  /** Of these workflow ids and runs, those that are not running. An older control worker says nothing of runs. */
  findEndedHolders(input: {
    workflowIds: readonly string[];
    runs?: readonly SlotRelease[];
  }): Promise<{ ended: readonly string[]; endedRuns?: readonly SlotRelease[] }>;
  /**
   * Asks admission for a slot, then looks whether the guest may still move; the grant comes as a signal. In this order: a drain closes its node before it
   * looks for requests, so one of the two sees the other. Repeatable: admission knows a holder by its run, and tells it again. An older control worker
   * answers nothing.
   */
  requestSlot(input: SlotRequest): Promise<MoveSight | undefined>;
  /** Gives a slot back; fine when there is none. */
  releaseSlot(input: SlotRelease): Promise<void>;
  /**
   * Decides durably, in the lost node's entity, that its record of a guest is void. `bootId`: the boot that has ended; null: the one that it
   * registered last. Refused with `node-alive` while it is heard, or once it has registered another boot.
   */
  voidGuest(input: { node: NodeName; bootId: string | null; guest: VoidedGuest }): Promise<void>;
  /** Withdraws that decision: the guest is where it was after all. */
  dropVoided(input: { node: NodeName; vmid: Vmid; migrationId: MigrationId }): Promise<void>;
  /** What is known of every node, and what the one had that is not heard. Inventories stay out: this is asked again and again. */
  lookAtCluster(input: { node: NodeName }): Promise<ClusterLook>;
  /** Which guest of a lost node is to be started next, and where. */
  placeLost(input: LostPlacesQuestion): Promise<LostPlace>;
  /** Lets a node take new guests or not. @throws `not-found` for one that has never registered */
  cordonNode(input: { node: NodeName; cordoned: boolean }): Promise<void>;
  /** Notes durably, in the node's entity, that a guest was moved away from it, or that it needs not come back any more. Repeatable. */
  changeAway(input: { node: NodeName; vmid: Vmid; at: string; away: boolean }): Promise<void>;
  /**
   * Takes a snapshot and plans from it what a drain or an undrain does next. Only that comes back: the plan of a large cluster is large, and old as soon as a
   * move has ended. `home`: guests noted as away that are at home, or nowhere any more.
   */
  planDrain(input: DrainQuestion): Promise<{ steps: NextSteps; home: readonly Vmid[] }>;
  /** Takes a snapshot and plans from it which moves of a balance come next. */
  planBalance(input: BalanceQuestion): Promise<BalanceSteps>;
  /** A look of the balancer: reads its policy anew, takes a sample in, and decides whether a round begins. */
  watchBalance(input: { state: BalancerState; now: string }): Promise<WatchedBalance>;
  /** Runs on the queue as a call of its own, since it may take minutes: cuts a silent node's power, if a device is configured for it. */
  fenceNode(input: { node: NodeName }): Promise<FenceResult>;
  /** Runs on the queue as a call of its own, too: asks fencing devices for their status, and switches nothing. */
  testFencing(input: { node: NodeName | null }): Promise<FencingReport>;
  /** Reads the window that its schedule keeps, names its nodes as the cluster has them now, and tells the schedule the next occurrences. */
  openWindow(input: ScheduledWindow): Promise<OpenedWindow>;
  /** Is the node heard, and on which boot? */
  examineNode(input: { node: NodeName }): Promise<NodeLook>;
}

/**
 * Run on the queue as calls of their own. An attempt of a command whose worker dies is lost with its answer: the command goes on at the node, up
 * to its own time limit.
 */
export interface WorkActivities {
  /** Runs a shell command on a node as root. An exit code is an answer, not an error. */
  runOnNode(input: { node: NodeName; command: string; timeoutMs: number }): Promise<CommandEnd>;
  /** Resolves when the node is heard on another boot than `bootId` (null: on any), or false when the time is over. */
  awaitBoot(input: { node: NodeName; bootId: string | null; timeoutMs: number }): Promise<{ booted: boolean }>;
}

/** Runs on the queue as a call of its own: others may take their time to answer. */
export interface HookActivities {
  /** Tells one hook of one event, once. @throws `hook-failed` */
  tellHook(input: { hook: string; event: ClusterEvent }): Promise<HookAnswer>;
}

/** What a hook said when it took an event. */
export interface HookAnswer {
  readonly answer: string;
}

/** `exitCode` null: the connection was lost, so that nobody knows how it ended, or whether it has. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** The end of both outputs. */
  readonly output: string;
}

export interface OpenedWindow {
  /** `opensAt` of the newest occurrence that is open now; null: none is. Absent from answers of an older Kedge. */
  readonly openSince?: string | null;
  readonly definition: WindowDefinition;
  readonly nodes: readonly NodeName[];
  /** Why the schedule was not brought up to date; null: it was. */
  readonly warning: string | null;
}

/** What may have changed since the checks of a migration. */
export interface MoveSight {
  /** Null: it has never registered. */
  readonly targetStatus: Pick<NodeStatus, 'cordoned'> | null;
  readonly blackouts: readonly OpenBlackout[];
}

export interface ClusterLook {
  readonly nodes: readonly Pick<NodeStatus, 'node' | 'bootId' | 'silentSince'>[];
  readonly lastGuests: readonly LastSeenGuest[];
  /** Of kedge.yaml. `enabled`: a node that failed may be fenced without being asked for. */
  readonly recovery: Pick<RecoveryPolicy, 'enabled' | 'fencesAtOnce'>;
}

export interface NodeLook {
  readonly isHeard: boolean;
  readonly bootId: string | null;
}

/** `reason` null: no fencing device is configured for the node. */
export type FenceResult =
  | { readonly fenced: true; readonly bootId: string; readonly agent: string }
  | { readonly fenced: false; readonly reason: string | null };

export interface ClusterSurvey {
  /** Nodes whose inventory shows the guest with a record, best owner first. */
  readonly holders: readonly { readonly node: NodeName; readonly guest: GuestSummary }[];
  readonly source: NodeStatus | null;
  readonly target: NodeStatus | null;
  readonly nodes: readonly NodeName[];
  /** Those that are on now; absent from an older control worker. */
  readonly blackouts?: readonly OpenBlackout[];
}
