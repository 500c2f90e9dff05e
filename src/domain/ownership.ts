/**
 * The ownership record: the durable word of one node on whether it may run one guest.
 * The protocol is argued in docs/protocol.md; DESIGN "Ownership" is its source.
 */
import type { Generation, MigrationId, NodeName, Vmid } from './ids.js';

/** Kinds of guest. */
export const GUEST_KINDS = ['qemu', 'lxc'] as const;
export type GuestKind = (typeof GUEST_KINDS)[number];

/** What the guest should be doing on its owner. */
export const WANTED_STATES = ['running', 'paused', 'stopped'] as const;
export type Wanted = (typeof WANTED_STATES)[number];

export const RECORD_STATES = ['owned', 'incoming', 'armed', 'releasing', 'released', 'revoked'] as const;
export type RecordState = (typeof RECORD_STATES)[number];

/** May the guest have run on this node under the revoked generation? `maybe`: it was armed in another boot. */
export type Ran = 'no' | 'maybe';

/**
 * What a node answers to a revocation. `superseded`: its tombstone is of a later time. Nothing of the migration is there or can come, but the
 * guest has gone on since, so that the answer lets nobody run it.
 */
export type Revoked = Ran | 'superseded';

interface RecordBase {
  readonly vmid: Vmid;
  readonly kind: GuestKind;
  readonly generation: Generation;
  readonly wanted: Wanted;
  /** Boot of the node in which the record was written: after a reboot it is a claim, not a permission. */
  readonly bootId: string;
}

/** The claim of a running migration: only its holder may act on the guest. */
interface Claimed {
  readonly migrationId: MigrationId;
  readonly peer: NodeName;
  /**
   * `offline`: the guest moves switched off, its disks are copied. No process and no memory is in doubt then, nothing has to be quick:
   * the workflow alone goes on or back, local recovery leaves it alone. Absent: live.
   */
  readonly mode?: 'offline';
}

/**
 * One record. `owned` carries a migration and peer only while it is claimed; the others always name theirs.
 * `incoming` ends by itself at `leaseUntil` (milliseconds since the epoch, judged by a monotonic clock while the worker lives).
 */
export type OwnershipRecord =
  | (RecordBase & { readonly state: 'owned' } & Partial<Claimed>)
  | (RecordBase & Claimed & { readonly state: 'incoming' })
  | (RecordBase & Claimed & { readonly state: 'armed' })
  | (RecordBase & Claimed & { readonly state: 'releasing' })
  | (RecordBase & Claimed & { readonly state: 'released' })
  | (RecordBase & Claimed & { readonly state: 'revoked'; readonly ran: Ran });

/** Owned in this boot and claimed by nobody: what a hand-over, a roll-back and a take-over end with. */
export function ownedFree(
  guest: Pick<RecordBase, 'vmid' | 'kind' | 'wanted'>,
  { generation, bootId }: Pick<RecordBase, 'generation' | 'bootId'>,
): OwnershipRecord & { state: 'owned' } {
  const { vmid, kind, wanted } = guest;
  return { vmid, kind, generation, wanted, bootId, state: 'owned' };
}

/**
 * Does the record say that its node has been the guest's owner under `generation`, or under a later one? It is so still, or has passed the
 * guest on since: a node that never owned it holds neither `owned` nor what comes after.
 */
export function hasTakenOver({ state, generation }: Pick<OwnershipRecord, 'state' | 'generation'>, under: Generation): boolean {
  return generation >= under && (state === 'owned' || state === 'releasing' || state === 'released');
}

/**
 * May a copy under this record have run, seen from the boot `presentBoot`? One that was armed in another boot may have been told to go, and the
 * rename of `owned` been lost with the power. Not so without a running guest: there `owned` is durable before anything starts.
 */
export function whetherRan({ state, mode, bootId }: Pick<OwnershipRecord, 'state' | 'mode' | 'bootId'>, presentBoot: string): Ran {
  return state === 'armed' && mode === undefined && bootId !== presentBoot ? 'maybe' : 'no';
}

/** A record as read: `missing` and `unreadable` allow nothing and prove nothing. */
export type RecordView =
  | { readonly kind: 'record'; readonly record: OwnershipRecord }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/**
 * What QEMU does on one node, as read over the control socket and /proc in one look.
 *
 * - `gone`: the process was seen not to exist (pid, start time and vmid checked)
 * - `unreachable`: the node or the monitor gives no answer; proves nothing
 * - `stopped-with-process`: prelaunch, paused by the operator or by an error; not part of a migration
 * - `loaded`: runstate `paused` and migration status `completed` on the target of this attempt
 */
export const QEMU_STATES = ['gone', 'unreachable', 'running', 'paused', 'pre-switchover', 'device', 'postmigrate', 'inmigrate', 'loaded'] as const;
export type QemuState = (typeof QEMU_STATES)[number];

/** What one node says of one guest: its record and its process, in one answer. */
export interface GuestView {
  readonly node: NodeName;
  readonly bootId: string;
  readonly record: RecordView;
  readonly qemu: QemuState;
}
