/** Bringing the guests of a lost node up elsewhere: input, state and report of the workflow `recoverNode`. Plain JSON. */
import type { MigrationId, NodeName, Vmid } from './ids.js';
import type { LastSeenGuest } from './node-facts.js';
import type { LostGuest, LostGuests, TakeOverRequest } from './lost-guest.js';
import { migrationIdOf } from './ids.js';
import { takeOverGeneration, type GuestMarker } from './guest-note.js';
import type { DeathStatement } from './voided-guest.js';
import type { WorkflowTimings } from './workflow-timings.js';

/** `recovery` of kedge.yaml. */
export interface RecoveryPolicy {
  readonly enabled: boolean;
  readonly suspectAfterSeconds: number;
  /** How many nodes may be fenced at the same moment. */
  readonly fencesAtOnce: number;
}

/** What a cluster has whose kedge.yaml says nothing of it. */
export const NO_RECOVERY: RecoveryPolicy = { enabled: false, suspectAfterSeconds: 60, fencesAtOnce: 1 };

/** Input of `recoverNode`. */
export interface RecoverNodeInput {
  readonly node: NodeName;
  /** Pause between two looks, milliseconds. */
  readonly lookEveryMs?: number;
  /** State carried over from the run before. */
  readonly report?: RecoveryReport;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** The node is off: who says so, and which boot of it has ended. */
export interface DeathProof extends DeathStatement {
  readonly bootId: string;
  /** RFC 3339. Absent from recoveries of an older Kedge, as all instants here. */
  readonly at?: string;
}

/**
 * - `looking`: it is suspect, and looked into
 * - `asking`: it is silent on every path, and no device cuts its power: an operator has to say that it is off
 * - `starting`: it is off; its guests are being taken over, or wait for something
 * - `settling`: it is heard again, and some of its guests still have to be taken over, by whomever. One that was never off keeps them meanwhile:
 *   their records there are void from its next boot on
 * - `back`: it is heard again, the recovery has ended
 */
export type RecoveryPhase = 'looking' | 'asking' | 'starting' | 'settling' | 'back';

/** A guest that a node owns since its own one has lost it. */
export interface RecoveredGuest {
  readonly vmid: Vmid;
  readonly to: NodeName;
  /** Null: it runs there, or is off as it was; or another node had to say that this one has it. */
  readonly problem: string | null;
  readonly at?: string;
}

/** A guest whose record on the lost node is void, and that nobody is known to own since. */
export interface OwedGuest {
  readonly vmid: Vmid;
  /** What follows from these is the same whoever is told to take it, and whenever. */
  readonly newest: GuestMarker;
  readonly storage: string;
  /** The boot in whose name the record was made void. */
  readonly bootId: string;
  /** Who was told to take it. One of them may have made its marker, and then that one alone can go on. */
  readonly asked: readonly NodeName[];
}

/** What `recoverNode` answers, and its query `recovery` while it runs. */
export interface RecoveryReport {
  readonly node: NodeName;
  readonly startedAt?: string;
  /** Since when an operator is asked, if one is. */
  readonly askedAt?: string | null;
  readonly phase: RecoveryPhase;
  readonly silentSince: string | null;
  /** What is known of the node, in words. */
  readonly evidence: readonly string[];
  /** Why it is not fenced, and what an operator can do; null: nothing is asked. */
  readonly question: string | null;
  readonly proof: DeathProof | null;
  readonly taken: readonly RecoveredGuest[];
  /** Guests that their node has lost for good: the recovery does not end before somebody has them, also when the node is back. */
  readonly owed: readonly OwedGuest[];
  /** Why the last look could not be made to its end; the next one may. Null or absent: it could. */
  readonly trouble?: string | null;
  /** Guests that are not started elsewhere, or not yet. */
  readonly left: readonly { readonly vmid: Vmid | null; readonly reason: string }[];
}

/** A guest that may be taken over, and the nodes that see its storage. */
export interface Recoverable {
  readonly guest: LostGuest;
  readonly seenBy: readonly NodeName[];
}

/**
 * Puts together what the nodes see: each guest once. One that two nodes see
 * with different markers, or on different storages, is nobody's to take: one of the storages is not what its name says.
 */
export function recoverableGuests(seen: ReadonlyMap<NodeName, LostGuests>): {
  readonly guests: readonly Recoverable[];
  readonly left: RecoveryReport['left'];
} {
  const found = new Map<Vmid, { guest: LostGuest; seenBy: NodeName[] }>();
  const left = new Map<string, RecoveryReport['left'][number]>();
  const leave = (vmid: Vmid | null, reason: string): void => void left.set(`${vmid} ${reason}`, { vmid, reason });
  const torn = new Set<Vmid>();
  for (const [node, { guests, unusable, handedOver }] of seen) {
    for (const { vmid, reason } of unusable) leave(vmid, reason);
    for (const vmid of handedOver) leave(vmid, `${node} has handed it over, and no storage tells yet how far it got: its migration decides, see "kedge audit"`);
    for (const guest of guests) {
      const known = found.get(guest.vmid);
      if (known === undefined) found.set(guest.vmid, { guest, seenBy: [node] });
      else if (isSame(known.guest, guest)) known.seenBy.push(node);
      else torn.add(guest.vmid);
    }
  }
  for (const vmid of torn) {
    found.delete(vmid);
    leave(vmid, 'the nodes see different notes of it: two storages have one name, or two notes are there');
  }
  return { guests: [...found.values()], left: [...left.values()] };
}

/** Guests that the lost node had when it was last heard and that no storage knows: they can't be started elsewhere, and their owner should hear so. */
export function unseenGuests(
  node: NodeName,
  {
    seen,
    lastGuests,
    known: others,
  }: { seen: ReadonlyMap<NodeName, LostGuests>; lastGuests: readonly LastSeenGuest[]; known: readonly { readonly vmid: Vmid }[] },
): RecoveryReport['left'] {
  const told = [...seen.values()].flatMap(({ guests, unusable, handedOver }) => [...guests, ...unusable].map(({ vmid }) => vmid).concat(handedOver));
  const known = new Set<Vmid | null>([...told, ...others.map(({ vmid }) => vmid)]);
  return lastGuests
    .filter(({ vmid }) => !known.has(vmid))
    .map(({ vmid, name }) => ({
      vmid,
      reason: `it (${name}) needs a disk or a device of ${node}, or its note was never written: it stays off until ${node} is back`,
    }));
}

/**
 * Which decision about a guest holds, now that a storage names the lost node as its owner; null: the one that was made, and whoever was told of it.
 * `isOff`: the node is proved to be off.
 *
 * A marker that is not the one of the decision: of the lost node in a later boot. Under the taker's generation or a later one it has begun to take
 * the guest itself: as long as it lives, nobody else may. Under a lower one it went on owning the guest, since it was never off; it has to
 * say that it has nothing any more.
 */
export function decisionOn({ vmid, newest, storage }: LostGuest, { owed, isOff }: { owed: OwedGuest | undefined; isOff: boolean }): OwedGuest | null {
  if (owed !== undefined && owed.newest.generation === newest.generation) return owed;
  if (owed !== undefined && !isOff && newest.generation >= takeOverGeneration(owed.newest)) return null;
  return { vmid, newest, storage, bootId: '', asked: [] };
}

/** What the taker is told. */
export function requestOf({ vmid, newest, storage }: Pick<OwedGuest, 'vmid' | 'newest' | 'storage'>, isLostOff: boolean): TakeOverRequest {
  return { vmid, lost: newest.owner, newest, storage, isLostOff };
}

/** The name under which the lost node's entity keeps the decision: the generation is the taker's, so no migration has that name. */
export function recoveryIdOf({ vmid, newest }: Pick<OwedGuest, 'vmid' | 'newest'>): MigrationId {
  return migrationIdOf(vmid, takeOverGeneration(newest));
}

function isSame(one: LostGuest, other: LostGuest): boolean {
  return one.storage === other.storage && one.newest.generation === other.newest.generation;
}

/** Its place among those that are started: `startup: order=`, or after all that have one. */
export const orderOf = ({ startOrder }: LostGuest): number => startOrder ?? Number.MAX_SAFE_INTEGER;
