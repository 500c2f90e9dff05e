/** Admission as it is, and holders that do nothing but take a slot and give it back. */
import { workflowInfo } from '@temporalio/workflow';
import { parseNodeName } from '../../src/domain/ids.js';
import { postBySignal, SlotLease } from '../../workflows/slot-lease.js';

export { admission } from '../../workflows/admission.js';

/** Ends when it has had its slot. */
export async function takeSlot(): Promise<string> {
  const lease = new SlotLease(postBySignal());
  await lease.ask({ nodes: [parseNodeName('node1'), parseNodeName('node2')], priority: 'user', retryMs: 20 });
  await lease.whenGranted();
  await lease.release();
  return workflowInfo().workflowId;
}
