/** The workflows of windows, with a drain and a restore that only say what they did: nodes named `full…` don't get empty. */
import { sleep, workflowInfo } from '@temporalio/workflow';
import type { EvacuateNodeInput, EvacuationReport } from '../../src/domain/evacuation.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';

export { admission } from '../../workflows/admission.js';
export { maintainNode } from '../../workflows/maintain-node.js';
export { maintainNodes } from '../../workflows/maintain-nodes.js';

export const evacuateNode = (input: EvacuateNodeInput): Promise<EvacuationReport> => report(input, 'evacuate');
export const restoreNode = (input: EvacuateNodeInput): Promise<EvacuationReport> => report(input, 'restore');

async function report({ node, requestedBy = '' }: EvacuateNodeInput, plan: 'evacuate' | 'restore'): Promise<EvacuationReport> {
  if (plan === 'evacuate') await sleep(node.startsWith('slow') ? 3_000 : 100);
  const isFull = plan === 'evacuate' && node.startsWith('full');
  const startedAt = workflowInfo().startTime.toISOString();
  const stayed = isFull ? [{ vmid: parseVmid(101), reason: 'no room' }] : [];
  const end = isFull ? 'some-stayed' : 'done';
  return { plan, node: parseNodeName(node), requestedBy, startedAt, endedAt: startedAt, end, moved: [], shutDown: [], moving: [], stayed };
}
