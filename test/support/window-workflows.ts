/** The workflows of windows, with a drain and a restore that only say what they did: nodes named `full…` don't get empty, on `off…` guest 101 is shut down. */
import { sleep, workflowInfo } from '@temporalio/workflow';
import type { EvacuateNodeInput, EvacuationReport } from '../../src/domain/evacuation.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';

export { admission } from '../../workflows/admission.js';
export { manageGuest } from '../../workflows/manage-guest.js';
export { maintainNode } from '../../workflows/maintain-node.js';
export { maintainNodes } from '../../workflows/maintain-nodes.js';

export const evacuateNode = (input: EvacuateNodeInput): Promise<EvacuationReport> => report(input, 'evacuate');
export const restoreNode = (input: EvacuateNodeInput): Promise<EvacuationReport> => report(input, 'restore');

async function report(
  { node, requestedBy = '', until, waitUntil = '', force = 'skip', parallel = 2 }: EvacuateNodeInput,
  plan: 'evacuate' | 'restore',
): Promise<EvacuationReport> {
  if (plan === 'evacuate') await sleep(node.startsWith('slow') ? 3_000 : 100);
  const isFull = plan === 'evacuate' && node.startsWith('full');
  const startedAt = workflowInfo().startTime.toISOString();
  const stayed = isFull
    ? [{ vmid: parseVmid(101), reason: `${parallel} at a time, ${force} after ${Math.round((Date.parse(waitUntil) - Date.now()) / 60_000)} min` }]
    : [];
  const isLate = until !== undefined && Date.parse(until) < Date.now();
  const end = isFull ? 'some-stayed' : isLate ? 'out-of-time' : 'done';
  const shutDown = plan === 'evacuate' && node.startsWith('off') ? [parseVmid(101)] : [];
  return { plan, node: parseNodeName(node), requestedBy, startedAt, endedAt: startedAt, end, moved: [], shutDown, moving: [], stayed };
}
