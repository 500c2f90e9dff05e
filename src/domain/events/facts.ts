/** What Temporal knows of one execution, as far as events follow from it. Pure and plain: src/client/events reads it. */
import type { BalanceReport } from '../balance/balance.js';
import type { EvacuationReport } from '../evacuation.js';
import type { NodeName, Vmid } from '../ids.js';
import type { MigrationStory } from '../migration.js';
import type { NodeEntityStatus } from '../node-facts.js';
import type { KedgeFailure } from '../read-failure.js';
import type { RecoveryReport } from '../recovery.js';
import type { NodeOutcome, UpkeepProgress, WindowReport } from '../window/window.js';

/** One run of a workflow. */
export interface RunFact {
  readonly workflowId: string;
  readonly runId: string;
  readonly startedAt: string;
  /** Null while it runs. */
  readonly endedAt: string | null;
  /** `continued`: it goes on as another run, which knows all that this one knew. */
  readonly state: 'running' | 'completed' | 'failed' | 'continued';
}

/** What a workflow said last; null: it could not be asked, or does not say. `failure`: how it ended, if it failed. */
interface Told<Said> {
  readonly run: RunFact;
  readonly said: Said | null;
  readonly failure: KedgeFailure | null;
}

export interface MigrationFact extends Told<MigrationStory> {
  readonly of: 'migration';
  readonly vmid: Vmid;
  readonly requestedBy: string | null;
  readonly source: NodeName | null;
  readonly target: NodeName | null;
}

export interface EvacuationFact extends Told<EvacuationReport> {
  readonly of: 'evacuation';
  readonly plan: EvacuationReport['plan'];
  readonly node: NodeName;
}

export interface BalanceFact extends Told<BalanceReport> {
  readonly of: 'balance';
}

export interface WindowFact extends Told<WindowReport> {
  readonly of: 'window';
  readonly window: string;
}

/** One node in a window. */
export interface UpkeepFact extends Told<NodeOutcome> {
  readonly of: 'upkeep';
  readonly node: NodeName;
  readonly progress: UpkeepProgress | null;
}

/** What the entity of a node kept, one state after the other; the first is what it began with. */
export interface NodeFact {
  readonly of: 'node';
  readonly run: RunFact;
  readonly node: NodeName;
  readonly states: readonly { readonly at: string; readonly status: NodeEntityStatus }[];
}

export interface RecoveryFact extends Told<RecoveryReport> {
  readonly of: 'recovery';
  readonly node: NodeName;
}

export interface GuestCommandFact {
  readonly of: 'guest-command';
  readonly run: RunFact;
  readonly vmid: Vmid;
  readonly verb: string;
  readonly node: NodeName | null;
  readonly failure: KedgeFailure | null;
}

/** Telling a hook of an event. */
export interface DeliveryFact {
  readonly of: 'delivery';
  readonly run: RunFact;
  readonly hook: string;
  readonly eventId: string;
  /** Why the latest attempt failed, while there will be another; null: none has failed. */
  readonly lastFailure: string | null;
  readonly failure: KedgeFailure | null;
}

export type EventFact = MigrationFact | EvacuationFact | BalanceFact | WindowFact | UpkeepFact | NodeFact | RecoveryFact | GuestCommandFact | DeliveryFact;
