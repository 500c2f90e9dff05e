import type { StepRef } from '../../../activities/interface.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { NodeContext } from '../node-context.js';

/** Ends the hold of a copy: durable, so that a restarted copy knows it too. @throws KedgeError `guest-state` when nothing is held */
export async function releaseHold(node: NodeContext, step: StepRef): Promise<void> {
  const entry = await node.streams.read(step.vmid, step.migrationId);
  if (entry === null) throw new KedgeError('guest-state', `Cannot release ${step.migrationId}: its copy has not begun`);
  if (entry.held) await node.streams.write(step.vmid, { ...entry, held: false });
}
