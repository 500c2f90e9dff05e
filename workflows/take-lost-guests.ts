/**
 * The guests of a lost node, turn by turn: the decision about each, durable in that node's entity, then who takes it. Docs/protocol.md, section 8.
 *
 * Guests are taken at the same time, each on its own: nothing that decides about one (void record, marker, locks) is shared with another. Only the room
 * on the nodes is, and a guest that is being taken counts where it was asked for first.
 *
 * A decision is kept in the report until some node is known to own the guest, with everybody who was told to take it: of these one may have made
 * its marker and then died, or filled its disk, or only its answer was lost; then no other can go on, and it has to be told once more.
 */
import type { ClusterLook } from '../activities/interface-control.js';
import type { NodeName, Vmid } from '../src/domain/ids.js';
import type { LostGuest, LostGuests, TakeOverResult } from '../src/domain/lost-guest.js';
import type { LostPlace } from '../src/domain/plan/place-lost.js';
import { readFailure } from '../src/domain/read-failure.js';
import {
  decisionOn,
  recoverableGuests,
  recoveryIdOf,
  requestOf,
  unseenGuests,
  type DeathProof,
  type OwedGuest,
  type Recoverable,
  type RecoveryReport,
} from '../src/domain/recovery.js';
import { takeOverGeneration } from '../src/domain/guest-note.js';
import { migrationWorkflowId } from '../src/domain/workflow-names.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';
import { heardNodes } from './look-at-suspect.js';
import { onNode, type ControlCalls } from './on-node.js';
import { takesSeveralLost } from './patches.js';
import { Turns } from './turns.js';
import { workflowInstant } from './workflow-time.js';

/** The recovery that this is a part of. */
export interface Recovery {
  readonly node: NodeName;
  readonly timings: WorkflowTimings;
  readonly control: ControlCalls;
  readonly report: () => RecoveryReport;
  readonly tell: (changes: Partial<RecoveryReport>) => void;
}

type Left = RecoveryReport['left'][number];

/** So many guests are taken at the same time: most of that time the lost node is asked in vain, but each also starts a guest. */
const AT_ONCE = { forEachNode: 2, most: 16 };

/** What each node that is heard sees of the guests of the lost one; one that can't say is not in the answer. */
export async function listLost({ node, timings }: Recovery, cluster: ClusterLook): Promise<ReadonlyMap<NodeName, LostGuests>> {
  const seen = new Map<NodeName, LostGuests>();
  await Promise.all(
    heardNodes(cluster).map(async (name) => {
      const found = await onNode(name, timings)
        .ping.listLostGuests({ lost: node })
        .catch(() => null);
      if (found !== null) seen.set(name, found);
    }),
  );
  return seen;
}

/**
 * One round. `proof` null: the node is heard again, and only what is owed is taken, with its consent.
 * @throws TemporalFailure when the control worker can't say what is asked of it; nothing is lost by that
 */
export async function takeLostGuests(recovery: Recovery, { cluster, proof }: { cluster: ClusterLook; proof: DeathProof | null }): Promise<void> {
  const { node, timings, control, report, tell } = recovery;
  const heard = heardNodes(cluster);
  const seen = await listLost(recovery, cluster);
  const found = recoverableGuests(seen);
  const isOwed = (vmid: Vmid | null): boolean => report().owed.some((owed) => owed.vmid === vmid);
  const later: Left[] = found.left.filter(({ vmid }) => proof !== null || isOwed(vmid));

  const decisions = new Map<Vmid, OwedGuest>();
  for (const { guest } of found.guests) {
    const owed = report().owed.find(({ vmid }) => vmid === guest.vmid);
    const decision = proof === null && owed === undefined ? null : decisionOn(guest, { owed, isOff: proof !== null });
    if (decision !== null) decisions.set(guest.vmid, decision);
  }
  // No storage names the lost node as their owner any more, or not as the one that lost them.
  for (const owed of report().owed.filter(({ vmid }) => !decisions.has(vmid))) {
    const taken = await askAll(owed, owed.asked);
    if ('reason' in taken && !later.some(({ vmid }) => vmid === owed.vmid)) later.push({ vmid: owed.vmid, reason: taken.reason });
  }

  /** Where guests are that this round has taken, and where those may come that it is taking. */
  const placed = new Map<Vmid, { readonly guest: LostGuest; readonly to: NodeName }>();
  await takeAllListed();
  const untold = proof === null ? [] : unseenGuests(node, { seen, lastGuests: cluster.lastGuests, known: [...report().taken, ...report().owed] });
  tell({ left: [...later, ...untold] });

  /** After a failure no other begins; those that are being taken are waited for, since they write the report. */
  async function takeAllListed(): Promise<void> {
    let waiting = found.guests.filter(({ guest }) => decisions.has(guest.vmid));
    const several = waiting.length > 1 && takesSeveralLost();
    const turns = new Turns(several ? Math.min(AT_ONCE.most, AT_ONCE.forEachNode * heard.length) : 1);
    try {
      while (waiting.length > 0) {
        const place = await placeOne(waiting);
        const one = waiting.find(({ guest }) => guest.vmid === place.vmid);
        waiting = waiting.filter((other) => other !== one);
        const decision = decisions.get(place.vmid);
        if (one === undefined || decision === undefined) continue;
        const turn = several ? place.turn : undefined;
        await turns.begin(turn, async () => {
          const taken = await takeListed(decision, { one, place, isAlone: turn === undefined });
          if ('to' in taken) placed.set(place.vmid, { guest: one.guest, to: taken.to });
          else {
            placed.delete(place.vmid);
            later.push({ vmid: place.vmid, reason: taken.reason });
          }
        });
      }
    } finally {
      await turns.end();
    }
  }

  function placeOne(guests: readonly Recoverable[]): Promise<LostPlace> {
    return control.placeLost({ lost: node, guests, placed: [...placed.values()] });
  }

  /** Who has it now; or why nobody has, or not yet. */
  async function takeListed(
    decision: OwedGuest,
    { one, place, isAlone }: { one: Recoverable; place: LostPlace; isAlone: boolean },
  ): Promise<{ to: NodeName } | { reason: string }> {
    const { guest, seenBy } = one;
    // The node itself comes last: it has just failed.
    const self = proof === null && seenBy.includes(node) ? [node] : [];
    const inOrder = (best: readonly NodeName[]): readonly NodeName[] => [...new Set([...decision.asked, ...best, ...self])];
    const targets = inOrder(place.targets);
    const [first] = targets;
    if (first !== undefined) placed.set(guest.vmid, { guest, to: first });
    const { ended } = await control.findEndedHolders({ workflowIds: [migrationWorkflowId(decision.vmid)] });
    if (ended.length === 0) return { reason: 'a migration of it is under way, which decides what becomes of it' };
    if (first === undefined) return { reason: `no node can take it: ${place.reason}` };
    try {
      const decided = await decide(decision, targets);
      if (isAlone) return await askAll(decided, targets);
      const taken = await askAll(decided, [first]);
      if ('to' in taken) return taken;
      // Others were placed meanwhile: the room on the second best node may be theirs by now.
      placed.delete(guest.vmid);
      const { targets: others } = await placeOne([one]);
      const rest = inOrder(others).filter((name) => name !== first);
      const [second] = rest;
      if (second === undefined) return taken;
      placed.set(guest.vmid, { guest, to: second });
      const takenThen = await askAll(decided, rest);
      return 'to' in takenThen ? takenThen : { reason: `${taken.reason}; ${takenThen.reason}` };
    } catch (error) {
      const { code, message } = readFailure(error);
      if (code !== 'node-alive') throw error;
      return { reason: message };
    }
  }

  /** Makes the record of the lost node void, once for each boot of it that was proved to be over. Durable before anybody is told to take the guest. */
  async function decide(decision: OwedGuest, targets: readonly NodeName[]): Promise<OwedGuest> {
    const { vmid, newest } = decision;
    const { bootId } = proof ?? decision;
    const [takenBy] = targets;
    if (proof !== null && decision.bootId !== bootId && takenBy !== undefined) {
      const { statedBy, basis } = proof;
      const below = takeOverGeneration(newest);
      await control.voidGuest({ node, bootId, guest: { vmid, migrationId: recoveryIdOf(decision), below, takenBy, at: workflowInstant(), statedBy, basis } });
    }
    const decided = { ...decision, bootId };
    tell({ owed: [...report().owed.filter((owed) => owed.vmid !== vmid), decided] });
    return decided;
  }

  /** Tells one after the other to take it, until somebody has it. Each is noted before it is told: its answer may be lost. */
  async function askAll(owed: OwedGuest, nodes: readonly NodeName[]): Promise<{ to: NodeName } | { reason: string }> {
    const { vmid } = owed;
    const reasons: string[] = [];
    for (const to of nodes) {
      if (!heard.includes(to)) {
        reasons.push(`${to}: it was told to take the guest, and is not heard`);
        continue;
      }
      note(vmid, to);
      const result = await onNode(to, timings)
        .settle.takeOverLost(requestOf(owed, proof !== null))
        .catch((error: unknown): TakeOverResult => ({ outcome: 'refused', reason: readFailure(error).message }));
      if (result.outcome === 'refused') {
        reasons.push(`${to}: ${result.reason}`);
        continue;
      }
      // Who was told before has it when only the answer was lost: another one's word for that is as good.
      const taken = result.outcome === 'taken' ? { to, problem: result.problem } : { to: result.by, problem: null };
      tell({ taken: [...report().taken, { vmid, ...taken, at: workflowInstant() }], owed: report().owed.filter((other) => other.vmid !== vmid) });
      return { to: taken.to };
    }
    return { reason: reasons.join('; ') };
  }

  function note(vmid: Vmid, asked: NodeName): void {
    tell({ owed: report().owed.map((owed) => (owed.vmid === vmid && !owed.asked.includes(asked) ? { ...owed, asked: [...owed.asked, asked] } : owed)) });
  }
}
