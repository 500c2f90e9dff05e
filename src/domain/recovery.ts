/** Bringing the guests of a lost node up elsewhere: input, state and report of the workflow `recoverNode`. Plain JSON. */
import type { MigrationId, NodeName, Vmid } from './ids.js';
import type { LastSeenGuest } from './node-facts.js';
import type { LostGuest, LostGuests, TakeOverRequest } from './lost-guest.js';
import { migrationIdOf } from './ids.js';
import { takeOverGeneration } from './guest-note.js';
import type { DeathStatement } from './voided-guest.js';
import type { WorkflowTimings } from './workflow-timings.js';

/** Input of `recoverNode`. */
export interface RecoverNodeInput {
  readonly node: NodeName;
  /** How many nodes may be fenced at the same moment in this cluster. Default 1. */
  readonly fencesAtOnce?: number;
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
 * - `settling`: it is heard again, and some of its guests still have to be taken over, by whomever
 * - `back`: it is heard again, the recovery has ended
 */
export type RecoveryPhase = 'looking' | 'asking' | 'starting' | 'settling' | 'back';

export interface RecoveredGuest {
  readonly vmid: Vmid;
  readonly to: NodeName;
  /** Null: it runs there, or is off as it was. */
  readonly problem: string | null;
  readonly at?: string;
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
  /** Guests that their node has lost for good, and that nobody has taken yet: the recovery does not end before somebody has, also when the node is back. */
  readonly owed: readonly Vmid[];
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
  { seen, lastGuests, taken }: { seen: ReadonlyMap<NodeName, LostGuests>; lastGuests: readonly LastSeenGuest[]; taken: RecoveryReport['taken'] },
): RecoveryReport['left'] {
  const told = [...seen.values()].flatMap(({ guests, unusable, handedOver }) => [...guests, ...unusable].map(({ vmid }) => vmid).concat(handedOver));
  const known = new Set<Vmid | null>([...told, ...taken.map(({ vmid }) => vmid)]);
  return lastGuests
    .filter(({ vmid }) => !known.has(vmid))
    .map(({ vmid, name }) => ({
      vmid,
      reason: `it (${name}) needs a disk or a device of ${node}, or its note was never written: it stays off until ${node} is back`,
    }));
}

/** What the taker is told. */
export function requestOf({ vmid, newest, storage }: LostGuest): TakeOverRequest {
  return { vmid, lost: newest.owner, newest, storage };
}

/** The name under which the lost node's entity keeps the decision: the generation is the taker's, so no migration has that name. */
export function recoveryIdOf({ vmid, newest }: LostGuest): MigrationId {
  return migrationIdOf(vmid, takeOverGeneration(newest));
}

function isSame(one: LostGuest, other: LostGuest): boolean {
  return one.storage === other.storage && one.newest.generation === other.newest.generation;
}

/** Its place among those that are started: `startup: order=`, or after all that have one. */
export const orderOf = ({ startOrder }: LostGuest): number => startOrder ?? Number.MAX_SAFE_INTEGER;
