import { whetherRan, type OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import { endIncoming } from './end-incoming.js';

/** Gives a copy up for good: every go is refused from here on, then what was prepared is removed. The caller holds the guest's lock and knows that it may. */
export async function giveUpCopy(node: NodeContext, record: OwnershipRecord & { state: 'incoming' | 'armed' }): Promise<void> {
  const revoked: OwnershipRecord = { ...record, state: 'revoked', ran: whetherRan(record, node.bootId), bootId: node.bootId };
  await crashPoint('target.revoked-record', () => node.records.write(revoked));
  await endIncoming(node, record.vmid);
}
