import type { StepRef } from '../../../activities/interface.js';
import type { RecordView } from '../../../src/domain/ownership.js';
import type { NodeContext } from '../node-context.js';

/**
 * Ends the hold of a copy, for every attempt of it: also of one that has not begun, because it still waits for its slot. Durable and
 * repeatable. A migration that no longer claims the guest here has nothing to be released.
 */
export async function releaseHold(node: NodeContext, step: StepRef): Promise<void> {
  // Under the lock: a release that comes late must not be noted behind the back of the step that removes it.
  await node.locks.withLock(step.vmid, async () => {
    const view = await node.records.read(step.vmid);
    if (!isOver(view, step)) await node.streams.release(step.vmid, step.migrationId);
  });
}

/** A record that can't be read proves nothing: then the release is noted, which harms nobody. */
function isOver(view: RecordView, step: StepRef): boolean {
  if (view.kind !== 'record') return view.kind === 'missing';
  const { state, migrationId } = view.record;
  return migrationId !== step.migrationId || (state !== 'owned' && state !== 'releasing');
}
