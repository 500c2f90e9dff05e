import { rsyncGrantFolder } from '../../../src/config/paths.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { revokeGrant } from '../../../src/drivers/rsync/grant-store.js';
import type { NodeContext } from '../node-context.js';

/** Takes the grant of a copy back: when this returns nobody writes to it on the source's behalf. One that is gone already is fine. */
export async function endGrant(node: NodeContext, token: string): Promise<void> {
  await crashPoint('target.end-grant', () => revokeGrant(rsyncGrantFolder(node.paths), token));
}
