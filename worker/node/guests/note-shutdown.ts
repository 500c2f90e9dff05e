import type { Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { QmpEvent } from '../../../src/drivers/qmp/qmp-connection.js';
import type { NodeContext } from '../node-context.js';

/** The system of a virtual machine has switched it off. */
export function isShutdownOfGuest(event: QmpEvent): boolean {
  return event.name === 'SHUTDOWN' && event.data['reason'] === 'guest-shutdown';
}

/**
 * A guest of this node that has shut itself down is wanted stopped from then on, also under a claim: no recovery may take it for crashed and start
 * it again, on no node. Repeatable. The caller holds the guest's lock, and knows that nobody had told the guest to.
 */
export async function noteShutdown(node: NodeContext, vmid: Vmid): Promise<void> {
  const view = await node.records.read(vmid);
  if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.wanted === 'stopped') return;
  const ended: OwnershipRecord = { ...view.record, wanted: 'stopped' };
  await crashPoint('node.ended-record', () => node.records.write(ended));
  node.log.info({ vmid }, 'the guest has shut itself down');
}
