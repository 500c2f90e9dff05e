import type { Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';

type Owned = OwnershipRecord & { readonly state: 'owned' };

/**
 * Which shared storages were seen without a note of a guest that this node owns, by the folders of their notes, and under which generation. Such a
 * storage is without one for as long as the record stays `owned` of that very generation, so that it need not be asked again, and may be sick: a guest
 * that does not use it moves all the same. For the life of the worker.
 *
 * Who could have made a note there meanwhile, that another node would start the guest from?
 * 1. **This node**, whose first disk has moved there: `leave` comes before that note. When it moves away again the storage has to be read.
 * 2. **Another owner.** Of this generation there is none. The guest moves away and comes back under a later one: nothing is remembered of that, and a
 *    migration that fails and gives it back under g+2 counts as that.
 * 3. **A taker**, which holds this node for lost: it makes a marker only where it has found a note with ours. Has it the guest already, and moved its
 *    first disk there, then our record is void, and nothing of this node may act by it, whatever the storages say (docs/protocol.md, section 8, races 7 to 9).
 * 4. **A new guest of the number**: not while this node has a record of it. After its destruction nothing is remembered (`forget`).
 * 5. **A writer of an earlier owner that comes late** (NFS): it writes under the lock of its guest, and a claim there needs that lock.
 * 6. **A hand**, or a storage that goes back to an old state: outside of what the protocol answers, as everywhere in section 8. A storage that was `disable`d
 *    when the note should have gone from it has not been seen, so it is not remembered either: it must be read first.
 */
export class FreeStorages {
  readonly #seen = new Map<Vmid, { readonly generation: number; readonly folders: Set<string> }>();

  /** The storage was read under the guest's lock, and has nothing of it. */
  saw({ vmid, generation }: Owned, folder: string): void {
    const known = this.#seen.get(vmid);
    if (known?.generation === generation) known.folders.add(folder);
    else this.#seen.set(vmid, { generation, folders: new Set([folder]) });
  }

  /** The guest's note is to be made there. */
  leave(vmid: Vmid, folder: string): void {
    this.#seen.get(vmid)?.folders.delete(folder);
  }

  has({ vmid, generation }: Owned, folder: string): boolean {
    const known = this.#seen.get(vmid);
    return known?.generation === generation && known.folders.has(folder);
  }

  forget(vmid: Vmid): void {
    this.#seen.delete(vmid);
  }
}
