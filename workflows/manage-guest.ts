import type { GuestCommand, GuestCommandResult } from '../activities/interface.js';
import type { NodeName } from '../src/domain/ids.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onNode } from './on-node.js';

export interface ManageGuestInput {
  readonly node: NodeName;
  readonly command: GuestCommand;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** Workflow type `manageGuest`: one guest verb on the guest's node. A lost answer is not repeated: the verb may have acted. */
export async function manageGuest({ node, command, timings }: ManageGuestInput): Promise<GuestCommandResult> {
  const calls = onNode(node, withTimings(timings));
  return command.verb === 'show' ? calls.ping.manageGuest(command) : calls.once.manageGuest(command);
}
