import type { NodeAudit } from '../../../activities/interface.js';
import type { AuditedNote } from '../../../src/domain/audit-types.js';
import type { GuestNote } from '../../../src/domain/guest-note.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import type { NodeContext } from '../node-context.js';
import { noteHasDisks } from '../notes/note-disks.js';
import { sharedStorages } from '../notes/note-home.js';

type Notes = Pick<Required<NodeAudit>, 'notes' | 'notesUnread'>;

/** What lies beside the disks of guests on the shared storages of this node, but for what says the same as its own records. Changes nothing. */
export async function listNotes(node: NodeContext): Promise<Notes> {
  // What is wrong with storage.cfg, the inventory and the checks tell.
  const shared = await sharedStorages(node).catch(() => []);
  const found = await Promise.all(shared.map((storage) => listOn(node, { storage, shared })));
  return { notes: found.flatMap(({ notes }) => notes), notesUnread: found.flatMap(({ notesUnread }) => notesUnread) };
}

interface Place {
  readonly storage: StorageDriver;
  readonly shared: readonly StorageDriver[];
}

async function listOn(node: NodeContext, place: Place): Promise<Notes> {
  const { storage } = place;
  const notes: AuditedNote[] = [];
  try {
    // The notes first: only a storage that answers is asked for its marker, which is waited for.
    const vmids = await storage.notes.guests();
    const identity = vmids.length === 0 ? null : await storage.identity().catch(() => null);
    for (const vmid of vmids) {
      const note = await readOne(node, { ...place, vmid, identity });
      if (note !== null) notes.push(note);
    }
    return { notes, notesUnread: [] };
  } catch (error) {
    return { notes, notesUnread: [{ storage: storage.id, reason: reasonOf(error) }] };
  }
}

async function readOne(node: NodeContext, { storage, shared, vmid, identity }: Place & { vmid: Vmid; identity: string | null }): Promise<AuditedNote | null> {
  const seen = { vmid, storage: storage.id, identity };
  try {
    const newest = await storage.notes.newest(vmid);
    const view = await node.records.read(vmid);
    const isInOrder = view.kind === 'record' && view.record.state === 'owned' && newest?.owner === node.node && newest.generation === view.record.generation;
    if (isInOrder) return null;
    const note: GuestNote | null = await storage.notes.read(vmid);
    // Gone since it was listed.
    if (newest === null && note === null) return null;
    return { ...seen, newest, kind: note?.kind ?? null, hasDisks: await noteHasDisks(shared, { vmid, home: storage, note }), unreadable: null };
  } catch (error) {
    // Is it the file, or the storage? That is asked once more, and ends the list if it does not answer.
    await storage.notes.guests();
    return { ...seen, newest: null, kind: null, hasDisks: null, unreadable: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof KedgeError) return error.message;
  throw error;
}
