import type { NodeContext } from '../node-context.js';
import type { OfflineTask } from './copy-task.js';

/**
 * Runs one attempt of a long step: claimed, known to be moving the guest, and ended as soon as a newer attempt takes over.
 * @throws what `work` throws; when it was told to stop, the reason of that, whatever the stop looked like from inside
 */
export async function withClaim<Task extends OfflineTask, Result>(node: NodeContext, task: Task, work: (fenced: Task) => Promise<Result>): Promise<Result> {
  return node.copies.during(task.step.vmid, async () => {
    const claim = await node.steps.claim(task.step, task.attempt);
    node.log.info({ ...task.step, attempt: task.attempt }, 'step begins');
    const signal = AbortSignal.any([task.signal, claim.fenced]);
    try {
      return await work({ ...task, signal });
    } catch (error) {
      // A worker that ends stops its rsync as a cancel does: the next attempt must go on, not roll back.
      signal.throwIfAborted();
      throw error;
    }
  });
}
