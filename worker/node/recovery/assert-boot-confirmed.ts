import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import type { NodeContext } from '../node-context.js';

/**
 * A record of an earlier boot is a claim: nobody may turn it into a permission of this boot before the cluster has registered it.
 * @throws KedgeError `outcome-unknown` (retried) until then
 */
export function assertBootConfirmed(node: NodeContext, record: OwnershipRecord): void {
  if (record.bootId === node.bootId || node.boot.confirmed) return;
  throw new KedgeError('outcome-unknown', `Cannot act for guest ${record.vmid}: this boot of ${node.node} has not been registered yet`);
}
