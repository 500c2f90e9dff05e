import type { ActivityInterfaceFor, LocalActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/interface-control.js';
import type { ResolvedMigration } from '../src/domain/resolve-migration-options.js';
import type { CancelSwitch } from './cancel-switch.js';
import type { DeadNode } from './dead-node.js';
import type { HoldSwitch } from './hold-switch.js';
import type { ControlCalls, NodeCalls } from './on-node.js';
import type { OperatorDesk } from './operator-desk.js';
import type { Patience } from './patience.js';
import type { StoryKeeper } from './story-keeper.js';

/** What the steps of one migration share. */
export interface MigrationContext {
  readonly migration: ResolvedMigration;
  readonly story: StoryKeeper;
  readonly desk: OperatorDesk;
  readonly cancel: CancelSwitch;
  readonly hold: HoldSwitch;
  readonly patience: Patience;
  /** The node that was given up for dead, if any. */
  readonly dead: DeadNode;
  readonly fencing: ActivityInterfaceFor<Pick<ControlActivities, 'fenceNode'>>;
  readonly control: LocalActivityInterfaceFor<ControlActivities>;
  /** The control worker, where it is asked beside a step that is under way. */
  readonly controlInDoubt: ControlCalls;
  /** Activities of the source; usable once the survey has found it. */
  source(): NodeCalls;
  target(): NodeCalls;
  /** RFC 3339 instant by which the guest must be handed over, or null. */
  readonly deadline: string | null;
}
