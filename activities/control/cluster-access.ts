import type { SlotRelease, SlotRequest } from '../../src/domain/admission.js';
import type { BalanceView } from '../../src/domain/balance/balance.js';
import type { BalancePolicy } from '../../src/domain/balance/judge-cluster.js';
import type { NodeName, Vmid } from '../../src/domain/ids.js';
import type { VoidedGuest } from '../../src/domain/voided-guest.js';
import type { Blackout } from '../../src/domain/window/blackout.js';
import type { Occurrence } from '../../src/domain/window/window.js';
import type { RunOnNode } from './run-on-node.js';
import type { Placement } from '../../src/domain/plan/placement.js';
import type { ClusterSnapshot } from '../../src/domain/plan/snapshot.js';
import type { HookCall } from '../../src/drivers/hook/tell-hook.js';
import type { Fencing } from './fence-lost-node.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import type { RecoveryPolicy } from '../../src/domain/recovery.js';

/** What the activities of the control worker ask the cluster, and tell it; the worker composes it from src/client. */
export interface ClusterAccess {
  /** Names of all configured nodes. */
  readonly nodes: readonly NodeName[];
  /** Null when the node has never registered. */
  nodeStatus(node: NodeName): Promise<NodeStatus | null>;
  /** Does an execution with this workflow id run now? With `runId`: this very run? */
  isRunning(workflowId: string, runId?: string): Promise<boolean>;
  /** Hands a request to admission, which it starts if need be; resolves when the server has it, long before the grant. */
  requestSlot(request: SlotRequest): Promise<void>;
  /** Gives a lease or a place in the queue back; fine without any. */
  releaseSlot(release: SlotRelease): Promise<void>;
  voidGuest(decision: { node: NodeName; bootId: string; guest: VoidedGuest }): Promise<void>;
  dropVoided(guest: { node: NodeName; guest: Pick<VoidedGuest, 'vmid' | 'migrationId'> }): Promise<void>;
  cordonNode(node: NodeName, cordoned: boolean): Promise<void>;
  changeAway(change: { node: NodeName; vmid: Vmid; at: string; away: boolean }): Promise<void>;
  /** What the operator wishes, as kedge.yaml has it now. */
  placement(): Promise<Placement>;
  /** When no guest is moved, as kedge.yaml has it now. */
  blackouts(): Promise<readonly Blackout[]>;
  /** What the planner knows of the cluster, as it is now. */
  takeSnapshot(): Promise<ClusterSnapshot>;
  /** The migrations that move guests now, or wait for their turn: who has a slot of admission or a place in its queue, and runs. */
  readMoves(): Promise<readonly Pick<SlotRequest, 'holder' | 'nodes'>[]>;
  /** Of kedge.yaml as it is now; null: the balancer is off. */
  balancePolicy(): Promise<BalancePolicy | null>;
  /** The balance that runs, or ran last; null: none is known. */
  readBalance(): Promise<BalanceView | null>;
  readonly fencing: Fencing;
  /** As kedge.yaml had it when the worker began. */
  readonly recovery: RecoveryPolicy;
  /** Tells the schedule of a window when it opens next, unless the window was changed since `revision`. */
  scheduleWindow(change: { name: string; revision: string; occurrences: readonly Occurrence[] }): Promise<void>;
  runOnNode: RunOnNode;
  /** Tells one hook of one event; answers what came back. */
  tellHook(call: HookCall): Promise<string>;
}
