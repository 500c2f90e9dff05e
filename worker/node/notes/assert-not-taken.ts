import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import type { NodeContext } from '../node-context.js';
import { newestMarker } from './keep-note.js';

/**
 * A node that was off looks at the storage too before it makes its record of a guest a permission again. The cluster has told it which guests are
 * void here, and that decides; this only is a second witness, so a storage that gives no answer forbids nothing.
 * @throws KedgeError `not-owner`
 */
export async function assertNotTaken(node: NodeContext, { vmid, generation }: Pick<OwnershipRecord, 'vmid' | 'generation'>): Promise<void> {
  const newest = await newestMarker(node, vmid).catch((error: unknown) => {
    node.log.warn({ vmid, error }, 'whether another node has taken a guest over could not be read from its storage');
    return null;
  });
  if (newest === null || newest.generation <= generation || newest.owner === node.node) return;
  throw new KedgeError(
    'not-owner',
    `Cannot start guest ${vmid}: its storage says that ${newest.owner} has taken it over under generation ${newest.generation}, the record here is of ${generation}`,
    { details: { ...newest } },
  );
}
