import { guestConfigFolder, journalFolder, recordFolder } from '../../../src/config/paths.js';
import { GUEST_KINDS } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeStaleStages } from '../../../src/drivers/host/durable-file.js';
import type { NodeContext } from '../node-context.js';

/**
 * Removes what a dead worker had written and not renamed into place, wherever workers write durably: it was never in force. What this worker
 * still holds stays, and nobody else writes there: it has the lock of the node.
 */
export async function removeDeadStages({ paths }: Pick<NodeContext, 'paths'>): Promise<void> {
  await crashPoint('node.stale-stages-removal', async () => {
    for (const folder of [recordFolder(paths), journalFolder(paths), ...GUEST_KINDS.map((kind) => guestConfigFolder(paths, kind))])
      await removeStaleStages(folder);
  });
}
