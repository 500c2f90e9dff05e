import type { NodeContext } from '../node-context.js';
import type { OfflineTask } from './copy-task.js';

/** Runs one attempt of a long step: claimed, known to be moving the guest, and ended as soon as a newer attempt takes over. */
export async function withClaim<Task extends OfflineTask, Result>(node: NodeContext, task: Task, work: (fenced: Task) => Promise<Result>): Promise<Result> {
  return node.copies.during(task.step.vmid, async () => {
    const claim = await node.steps.claim(task.step, task.attempt);
    node.log.info({ ...task.step, attempt: task.attempt }, 'step begins');
    return work({ ...task, signal: AbortSignal.any([task.signal, claim.fenced]) });
  });
}
