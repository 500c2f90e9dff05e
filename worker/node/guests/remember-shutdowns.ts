import type { Vmid } from '../../../src/domain/ids.js';
import type { NodeContext } from '../node-context.js';

/**
 * A guest that powers itself off is wanted stopped from then on: no recovery may take it for crashed and start it again, on no
 * node. A shutdown while no worker listens is not noticed, and the guest counts as crashed.
 */
export function rememberShutdowns(node: NodeContext): void {
  node.monitors.listen((vmid, event) => {
    if (event.name !== 'SHUTDOWN' || event.data['reason'] !== 'guest-shutdown') return;
    wantStopped(node, vmid).catch((error: unknown) => {
      node.log.error({ vmid, error }, 'the shutdown of a guest could not be recorded');
    });
  });
}

async function wantStopped(node: NodeContext, vmid: Vmid): Promise<void> {
  await node.locks.withLock(vmid, async () => {
    const view = await node.records.read(vmid);
    if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.wanted === 'stopped') return;
    await node.records.write({ ...view.record, wanted: 'stopped' });
    node.log.info({ vmid }, 'the guest has shut itself down');
  });
}
