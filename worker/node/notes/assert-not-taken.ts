import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import type { NodeContext } from '../node-context.js';
import { newestOf } from './keep-note.js';
import { sharedStorages } from './note-home.js';

/**
 * A node that was off looks at the storage too before it makes its record of a guest a permission again. The cluster has told it which guests are
 * void here, and that decides; this only is a second witness, so a storage that gives no answer forbids nothing. Neither does it keep the others from
 * being heard.
 * @throws KedgeError `not-owner`
 */
export async function assertNotTaken(node: NodeContext, { vmid, generation }: Pick<OwnershipRecord, 'vmid' | 'generation'>): Promise<void> {
  const storages = await sharedStorages(node).catch((error: unknown) => {
    node.log.warn({ vmid, error }, 'whether another node has taken a guest over could not be read: nobody knows its storages');
    return [];
  });
  const markers = await Promise.all(
    storages.map(({ id, notes }) =>
      notes.newest(vmid).catch((error: unknown) => {
        node.log.warn({ vmid, storage: id, error }, 'whether another node has taken a guest over could not be read from a storage');
        return null;
      }),
    ),
  );
  const newest = newestOf(markers);
  if (newest === null || newest.generation <= generation || newest.owner === node.node) return;
  throw new KedgeError(
    'not-owner',
    `Cannot start guest ${vmid}: its storage says that ${newest.owner} has taken it over under generation ${newest.generation}, the record here is of ${generation}`,
    { details: { ...newest } },
  );
}
