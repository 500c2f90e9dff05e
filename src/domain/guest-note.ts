/**
 * What a shared storage keeps beside a guest's disks, so that the guest can be started elsewhere when its node is gone:
 *
 *   .kedge/<vmid>.conf          the guest's config, and what its owner said of it
 *   .kedge/<vmid>.<generation>  who owned it under that generation; made once (O_EXCL), so that of two takers one wins
 *
 * The newest marker names the owner as far as the storage knows. It is written without haste, off every hand-over, so it may be behind: a guest may
 * have moved on. It never is far behind, and that is what a take-over rests on (docs/protocol.md, section 8).
 */
import { parseGeneration, type Generation, type NodeName, type Vmid } from './ids.js';
import type { GuestKind, GuestView, Wanted } from './ownership.js';

/** The content of `<vmid>.conf`. */
export interface GuestNote {
  readonly vmid: Vmid;
  readonly kind: GuestKind;
  readonly owner: NodeName;
  /** Of the owner's record when this was written. */
  readonly generation: Generation;
  readonly wanted: Wanted;
  /** The config in PVE grammar. */
  readonly config: string;
}

/** One marker: the generation is in its name. */
export interface GuestMarker {
  readonly generation: Generation;
  readonly owner: NodeName;
}

/** No record of the guest is more than this beyond the newest marker: a claim refreshes the marker first, and one migration issues g+1 to g+3. */
export const FURTHEST_RECORD = 3;

/** The generation under which a guest is taken over whose newest marker is this one: greater than any record's, and the same for each who asks. */
export function takeOverGeneration({ generation }: Pick<GuestMarker, 'generation'>): Generation {
  return parseGeneration(generation + FURTHEST_RECORD + 1);
}

/**
 * Why the guest of a lost node may not be taken over yet, as far as another node is concerned that has answered; null: nothing there can run it,
 * now or later. `newest`: the marker of the lost node.
 *
 * - A process is there, of whatever kind: it runs the guest, or may be let run.
 * - `owned`, `incoming`, `armed`, `releasing`: a permission, or one message away from it. A migration with the lost node has to be settled first.
 * - `released` under the marker's generation or a later one: the guest went on from there after the marker was written.
 * - `released` or `revoked` otherwise: a tombstone of an earlier time, or of a copy that the lost node sent and that was given up.
 */
export function whyNotTaken({ node, qemu, record }: GuestView, newest: GuestMarker): string | null {
  if (qemu !== 'gone') return `${node} has a process of the guest (${qemu})`;
  if (record.kind === 'unreadable') return `the record of ${node} can not be read`;
  if (record.kind === 'missing') return null;
  const { state, generation } = record.record;
  if (generation >= takeOverGeneration(newest)) return `${node} knows generation ${generation} of it, which is later than what its storage tells`;
  if (state === 'revoked' || (state === 'released' && generation < newest.generation)) return null;
  return `the record of ${node} is ${state}(${generation})`;
}
