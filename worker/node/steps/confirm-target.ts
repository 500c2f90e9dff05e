import type { StepRef } from '../../../activities/interface.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { announceSelf } from '../../../src/drivers/qemu/migration-commands.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';

/**
 * The target owns the guest and has it as wanted; the network is told where it is now. A guest that has ended since is no error:
 * it ended under its new owner.
 * @throws KedgeError `outcome-unknown` while this node does not own the guest or has not resumed it
 */
export async function confirmTarget(node: NodeContext, step: StepRef): Promise<{ announced: boolean }> {
  const { view } = await lookAtGuest(node, step.vmid);
  await node.records.sync();
  const owns = view.record.kind === 'record' && view.record.record.state === 'owned' && view.record.record.generation >= step.generation;
  if (!owns) throw new KedgeError('outcome-unknown', `Cannot confirm guest ${step.vmid}: ${node.node} does not own it`);
  if (view.qemu === 'gone') return { announced: false };
  if (view.record.record.wanted === 'running' && view.qemu !== 'running') {
    throw new KedgeError('outcome-unknown', `Cannot confirm guest ${step.vmid}: it is ${view.qemu}`);
  }
  await crashPoint('target.announce', async () => announceSelf(await node.monitors.of(step.vmid)));
  return { announced: true };
}
