import type { StepRef } from '../../../activities/interface.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { NodeContext } from '../node-context.js';
import { settleMigration } from '../recovery/settle-migration.js';

/**
 * Undo on the source, of the copy and of the claim alike: the stream is cancelled, the guest is as wanted, its record is
 * owned(g+2) and free. "Never happened" and "already undone" are fine.
 * @throws KedgeError `outcome-unknown` (retried), `needs-operator`, `cancel-refused` when the target owns the guest
 */
export async function giveBack(node: NodeContext, step: StepRef, target: NodeName): Promise<void> {
  const settled = await settleMigration(node, { step, source: node.node, target, direction: 'back' });
  if (settled.outcome === 'target-owns') {
    throw new KedgeError('cancel-refused', `Cannot roll ${step.migrationId} back: ${target} owns guest ${step.vmid}`);
  }
  await node.streams.remove(step.vmid);
}
