import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import type { CopyTask } from './copy-task.js';

const LEASE_RENEWAL_MS = 20_000;
const ANSWER_TIMEOUT_MS = 3_000;

/** Tells the target now and then that its copy is still wanted. */
export function keepLease(node: NodeContext, task: Pick<CopyTask, 'step' | 'target'>): NodeJS.Timeout {
  return setInterval(() => {
    node.peers
      .channel(task.target)
      .then((channel) => crashPoint('source.lease-message', () => channel.call('observe', { vmid: task.step.vmid }, { timeoutMs: ANSWER_TIMEOUT_MS })))
      .catch((error: unknown) => {
        node.log.warn({ ...task.step, error }, 'the target does not answer, the copy goes on');
      });
  }, LEASE_RENEWAL_MS);
}
