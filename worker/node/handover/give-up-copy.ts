import type { OwnershipRecord, Ran } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import { endIncoming } from './end-incoming.js';

/**
 * May a copy of this record have run? One that was armed in another boot may have been told to go, and the rename of `owned` been lost with the power.
 * Not so without a running guest: there `owned` is durable before anything starts.
 */
export function whetherRan(node: NodeContext, { state, mode, bootId }: OwnershipRecord): Ran {
  return state === 'armed' && mode === undefined && bootId !== node.bootId ? 'maybe' : 'no';
}

/** Gives a copy up for good: every go is refused from here on, then what was prepared is removed. The caller holds the guest's lock and knows that it may. */
export async function giveUpCopy(node: NodeContext, record: OwnershipRecord & { state: 'incoming' | 'armed' }): Promise<void> {
  const revoked: OwnershipRecord = { ...record, state: 'revoked', ran: whetherRan(node, record), bootId: node.bootId };
  await crashPoint('target.revoked-record', () => node.records.write(revoked));
  await endIncoming(node, record.vmid);
}
