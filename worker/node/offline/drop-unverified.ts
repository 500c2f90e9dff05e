import type { MigrationId, Vmid } from '../../../src/domain/ids.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { isSabotaged } from '../../../src/drivers/host/sabotage.js';
import type { NodeContext } from '../node-context.js';
import { endGrant } from './end-grant.js';
import { storageOf } from './storage-of.js';

/**
 * Removes the copies of a migration that were not found equal yet. The first thing that its roll-back does here, before it writes
 * anything: a copy may have filled the very disk that claims and records are written to.
 *
 * Safe under every record and for every attempt: such a copy can't be armed, and a pass that should still come begins from nothing.
 */
export async function dropUnverified(node: NodeContext, { vmid, migrationId }: { vmid: Vmid; migrationId: MigrationId }): Promise<void> {
  if (isSabotaged('skip-undo')) return;
  await node.locks.withLock(vmid, async () => {
    const entry = await node.volumes.read(vmid);
    if (entry?.migrationId !== migrationId) return;
    for (const { to, token } of entry.volumes.filter(({ state }) => state === 'incoming')) {
      node.readings.end(token);
      await endGrant(node, token);
      await crashPoint('target.drop-unverified', async () => (await storageOf(node, to)).incoming.discard({ volumeId: to, migrationId }));
    }
  });
}
