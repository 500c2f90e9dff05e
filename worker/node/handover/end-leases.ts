import type { Vmid } from '../../../src/domain/ids.js';
import type { NodeContext } from '../node-context.js';
import { recoverUntilSettled } from '../recovery/recover-guests.js';
import { giveUpCopy } from './give-up-copy.js';

const CHECK_INTERVAL_MS = 5_000;

/** Gives up incoming copies whose source has been silent for too long; answers how to stop looking. */
export function endExpiredLeases(node: NodeContext): () => void {
  const timer = setInterval(() => {
    for (const vmid of node.leases.expired()) {
      giveUp(node, vmid).catch((error: unknown) => {
        node.log.error({ vmid, error }, 'an expired copy could not be given up');
      });
    }
  }, CHECK_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** Only `incoming` may be given up alone: an armed copy may be told to go at any time. */
async function giveUp(node: NodeContext, vmid: Vmid): Promise<void> {
  await node.locks.withLock(vmid, async () => {
    const view = await node.records.read(vmid);
    if (view.kind === 'record' && view.record.state === 'armed') {
      // Only the source's word can end it: ask again, now and at the next end of the lease.
      node.leases.renew(vmid);
      void recoverUntilSettled(node, vmid);
      return;
    }
    if (view.kind !== 'record' || view.record.state !== 'incoming') {
      node.leases.end(vmid);
      return;
    }
    node.log.warn({ vmid, migrationId: view.record.migrationId }, 'the source is silent, giving the incoming copy up');
    await giveUpCopy(node, view.record);
  });
}
