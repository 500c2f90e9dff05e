import { takeOverGeneration, whyNotTaken, type GuestMarker, type GuestNote } from '../../../src/domain/guest-note.js';
import type { Generation, NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { TakeOverRequest, TakeOverResult } from '../../../src/domain/lost-guest.js';
import { hasTakenOver, ownedFree, type GuestView, type OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { GuestNotes } from '../../../src/drivers/storage/guest-notes.js';
import { askOtherNodes } from '../audit/certain-owner.js';
import { hasForeignConfig } from '../guests/has-foreign-config.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import type { NodeContext } from '../node-context.js';
import { keepNote } from '../notes/keep-note.js';
import { noteHome, notesOf, sharedStorages } from '../notes/note-home.js';

/** Thrown and caught in here: why nothing is taken; `owner`: somebody owns the guest. */
class Refusal extends Error {
  readonly owner: NodeName | null;

  constructor(reason: string, owner: NodeName | null = null) {
    super(reason);
    this.owner = owner;
  }
}

/**
 * Takes over a guest of a node that is off, from what lies beside the guest's disks, and starts it. Repeatable; the workflow has decided durably
 * before, in the lost node's entity, that its record of the guest is void below G (`takeOverGeneration`). docs/protocol.md, section 8.
 *
 * Who could still be running it?
 * - The lost node: it is off by an operator's word or a fencing device, and its record is void below G, which is beyond every record that it can have.
 *   If it answers all the same, or the proof is of an earlier boot (`isLostOff`), it is asked as any other.
 * - Any other node: each answers now, under our lock, and has neither a process nor a record that could become a permission (`whyNotTaken`).
 *   One that is silent might: then nothing is taken. None can get the guest afterwards: it would need a claim or a go of its owner, which is void.
 * - Another taker: it would need the marker of the same G, which is made once.
 * - This node: its record and its process are looked at under the lock.
 *
 * A crash between two lines: before the marker nothing has happened. After it this node alone can go on, and does, when it is asked again; if it
 * dies for good, the marker names it, and its own recovery takes the guest over from it. After the record the guest is this node's.
 */
export async function takeOverLost(node: NodeContext, request: TakeOverRequest): Promise<TakeOverResult> {
  const under = takeOverGeneration(request.newest);
  return node.locks.withLock(request.vmid, async () => {
    try {
      const record = (await ownedAlready(node, request, under)) ?? (await take(node, request, under));
      if (record.state !== 'owned' || record.generation !== under || record.migrationId !== undefined)
        return { outcome: 'taken', started: false, problem: null };
      return await start(node, record);
    } catch (error) {
      if (error instanceof Refusal) return error.owner === null ? { outcome: 'refused', reason: error.message } : { outcome: 'owned', by: error.owner };
      throw error;
    }
  });
}

/** The record of a take-over that was done before, however far it has gone since; null: this node has nothing that stands in the way of one. */
async function ownedAlready(node: NodeContext, { vmid }: TakeOverRequest, under: Generation): Promise<OwnershipRecord | null> {
  if (!node.boot.confirmed) throw new KedgeError('outcome-unknown', `Cannot take guest ${vmid} over: this boot of ${node.node} has not been registered yet`);
  const { view } = await lookAtGuest(node, vmid);
  if (view.record.kind === 'record' && hasTakenOver(view.record.record, under)) return view.record.record;
  return null;
}

async function take(node: NodeContext, request: TakeOverRequest, under: Generation): Promise<OwnershipRecord & { state: 'owned' }> {
  const { vmid, lost, isLostOff } = request;
  const { view } = await lookAtGuest(node, vmid);
  refuseFor(view, request);
  for (const { peer, view: other } of await askOtherNodes(node, vmid)) {
    // If it answers, it must have heard that its record is void, and say so.
    if (peer === lost && isLostOff && other === 'unreachable') continue;
    if (other === 'unreachable') throw new Refusal(`${peer} does not answer, and could have the guest`);
    refuseFor(other, request);
  }
  const { notes, note, isMine } = await findNote(node, request);
  // One that an earlier attempt has left is by its marker; any other is somebody's.
  if (!isMine && (await hasForeignConfig(node, vmid))) throw new Refusal(`${node.node} has a config of that number, and no record`);
  await takeMarker(node, { request, notes, under });
  await crashPoint('node.lost-config', () => node.guestConfigs.write(vmid, note.kind, note.config));
  const record = ownedFree({ vmid, kind: note.kind, wanted: note.wanted }, { generation: under, bootId: node.bootId });
  if (note.wanted !== 'stopped') {
    // Before the record: a worker that dies after it finds that a start is owed, and so does the next boot.
    await node.dueStarts.begin(vmid, under);
    await node.starts.begin(vmid);
  }
  await crashPoint('node.lost-record', () => node.records.write(record));
  return record;
}

/** The note as the lost node left it, or as a former attempt of this node did. */
async function findNote(node: NodeContext, { vmid, storage, newest, lost }: TakeOverRequest): Promise<{ notes: GuestNotes; note: GuestNote; isMine: boolean }> {
  const shared = await sharedStorages(node);
  const places = await notesOf(shared, vmid);
  if (places.length > 1) throw new Refusal(`${places.map(({ id }) => id).join(' and ')} both have a note of it: remove the wrong one by hand`);
  const [place] = places;
  if (place?.id !== storage) throw new Refusal(`storage ${storage} has no note of it on ${node.node}`);
  const note = await place.notes.read(vmid);
  if (note === null) throw new Refusal(`storage ${storage} has no note of it any more`);
  const home = noteHome(shared, note);
  if (home.home?.id !== storage) throw new Refusal(home.home === null ? home.why : `its first disk is on ${home.home.id}, its note on ${storage}`);
  const present = await place.notes.newest(vmid);
  const isAsSeen = present?.generation === newest.generation && present.owner === lost;
  const isMine = present?.generation === takeOverGeneration(newest) && present.owner === node.node;
  if (!isAsSeen && !isMine) throw new Refusal(describe(present));
  return { notes: place.notes, note, isMine };
}

async function takeMarker(node: NodeContext, { request, notes, under }: { request: TakeOverRequest; notes: GuestNotes; under: Generation }): Promise<void> {
  const { vmid } = request;
  const marker: GuestMarker = { generation: under, owner: node.node };
  const inForce = await crashPoint('node.lost-marker', () => notes.mark(vmid, marker));
  // A taker that was stopped for long may make a marker that another one had, and that was removed when the guest went on: with the lost node's,
  // which is removed by an owner alone, and so is the sign that there has been none since.
  const [newest, isLostStill] = [await notes.newest(vmid), await notes.has(vmid, request.newest)];
  if (inForce.owner !== node.node || newest?.generation !== under) throw new Refusal(describe(newest));
  if (isLostStill) return;
  // It would stand in the way of an owner who has the guest under this very generation.
  await crashPoint('node.lost-marker-removal', () => notes.unmark(vmid, marker));
  throw new Refusal(`the marker of ${request.lost} is gone: somebody has had the guest since`);
}

async function start(node: NodeContext, record: OwnershipRecord & { state: 'owned' }): Promise<TakeOverResult> {
  const { vmid } = record;
  if (record.bootId !== node.bootId) return { outcome: 'taken', started: false, problem: `${node.node} has rebooted since, and starts it by itself` };
  await keepNote(node, record).catch((error: unknown) => {
    node.log.warn({ vmid, error }, 'what lies beside the disks of a guest that was taken over could not be brought up to date yet');
  });
  try {
    await startGuestFromDisk(node, vmid);
    return { outcome: 'taken', started: record.wanted !== 'stopped', problem: null };
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    node.log.error({ vmid, error }, 'a guest that was taken over does not start');
    return { outcome: 'taken', started: false, problem: error.message };
  }
}

/** @throws Refusal unless nothing on that node can run the guest, now or later */
function refuseFor(view: GuestView, { lost, newest }: TakeOverRequest): void {
  const reason = whyNotTaken(view, newest);
  if (reason === null) return;
  const { node, record } = view;
  // What the lost node says it owns below G it owns no longer, once it hears so.
  const least = node === lost ? takeOverGeneration(newest) : newest.generation + 1;
  const holds = record.kind === 'record' && record.record.state === 'owned' && record.record.generation >= least;
  throw new Refusal(reason, holds ? node : null);
}

function describe(marker: GuestMarker | null): string {
  return marker === null ? 'its storage has no marker of it any more' : `its storage says that ${marker.owner} has it under generation ${marker.generation}`;
}
