/**
 * Workflow type `recoverNode`, id `recovery-<node>`: what becomes of the guests of a node that is not heard. Runs for as long as the node is lost.
 *
 *   looking ──silent on every path, for a majority──▶ fenced, or an operator says that it is off ──▶ starting ──▶ … ──▶ back
 *      └──── heard again, at any point before a guest's decision: nothing has happened ────────────────────────────────┘
 *
 * Nothing is decided in here: that a guest's record on the lost node is void is decided by the node's own entity, in the same order as its next
 * registration (`voidGuest`), and who takes the guest by the marker on its storage. So each line may be repeated, and a second recovery does no harm.
 */
import { allHandlersFinished, ApplicationFailure, condition, continueAsNew, setHandler, startChild, workflowInfo } from '@temporalio/workflow';
import type { ClusterLook, FenceResult } from '../activities/interface-control.js';
import type { NodeName, Vmid } from '../src/domain/ids.js';
import type { LostGuest, LostGuests } from '../src/domain/lost-guest.js';
import type { LostPlace } from '../src/domain/plan/place-lost.js';
import { readFailure } from '../src/domain/read-failure.js';
import {
  recoverableGuests,
  recoveryIdOf,
  requestOf,
  unseenGuests,
  type DeathProof,
  type Recoverable,
  type RecoverNodeInput,
  type RecoveryReport,
} from '../src/domain/recovery.js';
import { judgeSuspect, observersOf, whyNotDead, type NodeProbe, type SuspectEvidence } from '../src/domain/suspect-node.js';
import { fenceWorkflowId, migrationWorkflowId, upkeepWorkflowId, WORKFLOW_TYPES } from '../src/domain/workflow-names.js';
import { takeOverGeneration } from '../src/domain/guest-note.js';
import { withTimings } from '../src/domain/workflow-timings.js';
import { confirmDeadUpdate, recoveryQuery } from './messages.js';
import type { fenceLostNode } from './fence-lost-node.js';
import { onControl, onNode } from './on-node.js';
import { workflowInstant } from './workflow-time.js';

const LOOK_EVERY_MS = 15_000;

/** One look at the whole cluster. */
interface Look {
  readonly evidence: SuspectEvidence;
  readonly bootId: string | null;
  readonly cluster: ClusterLook;
}

export async function recoverNode(input: RecoverNodeInput): Promise<RecoveryReport> {
  const { node, lookEveryMs = LOOK_EVERY_MS } = input;
  const timings = withTimings(input.timings);
  const control = onControl(timings);
  let report: RecoveryReport = input.report ?? {
    node,
    startedAt: workflowInstant(),
    phase: 'looking',
    silentSince: null,
    evidence: [],
    question: null,
    proof: null,
    taken: [],
    owed: [],
    left: [],
  };
  let isWoken = false;
  const tell = (changes: Partial<RecoveryReport>): void => {
    report = { ...report, ...changes };
  };

  setHandler(recoveryQuery, () => report);
  setHandler(confirmDeadUpdate, async ({ statedBy }) => {
    const { evidence, bootId } = await look();
    const why = whyNotDead(evidence);
    if (why !== null) throw refusal(`Cannot give ${node} up: ${why}`);
    if (bootId === null) throw refusal(`Cannot give ${node} up: it has never registered`);
    prove({ statedBy, basis: 'operator', bootId });
    isWoken = true;
    return { confirmed: true as const };
  });

  for (;;) {
    const { evidence, bootId, cluster } = await look();
    const isSame = report.proof === null || bootId === report.proof.bootId;
    const isBack = evidence.silentSince === null || !isSame;
    // One that was given up and is heard in that very boot was never off: it keeps what nobody has taken.
    if (isBack && (isSame || report.owed.length === 0)) break;
    if (report.proof === null) await findProof(evidence, cluster);
    if (report.proof !== null) await takeGuests(report.proof, { cluster, isBack });
    // A device that fails is not called without a pause.
    await condition(() => isWoken, report.phase === 'asking' ? 4 * lookEveryMs : lookEveryMs);
    isWoken = false;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof recoverNode>({ ...input, report });
    }
  }
  await condition(allHandlersFinished);
  tell({ phase: 'back', question: null, askedAt: null });
  return report;

  function prove(proof: DeathProof): void {
    tell({ proof: { ...proof, at: workflowInstant() }, phase: 'starting', question: null, askedAt: null });
  }

  async function look(): Promise<Look> {
    const cluster = await control.lookAtCluster({ node });
    const { nodes } = cluster;
    const suspect = nodes.find((one) => one.node === node);
    const heard = heardOf(cluster);
    const bootId = suspect?.bootId ?? null;
    const silentSince = bootId === null ? null : (suspect?.silentSince ?? null);
    const probes = silentSince === null ? [] : await Promise.all(observersOf({ node, heard }).map(probe));
    const evidence = { node, silentSince, configured: nodes.map((one) => one.node), heard, probes: probes.flatMap((found) => (found === null ? [] : [found])) };
    tell({ silentSince });
    return { evidence, bootId, cluster };
  }

  /** A node that can't look says nothing of the suspect. */
  async function probe(from: NodeName): Promise<NodeProbe | null> {
    return onNode(from, timings)
      .ping.probeNode({ node })
      .catch(() => null);
  }

  async function findProof(evidence: SuspectEvidence, cluster: ClusterLook): Promise<void> {
    const verdict = judgeSuspect(evidence);
    if (verdict.is === 'back') return;
    tell({ evidence: verdict.facts });
    if (verdict.is !== 'silent') {
      tell({ phase: 'looking', question: null, askedAt: null });
      return;
    }
    const spared = await whySpared(cluster);
    if (spared !== null) {
      tell({ phase: 'looking', question: null, askedAt: null, evidence: [...verdict.facts, spared] });
      return;
    }
    const result = await fence();
    // An operator may have spoken meanwhile.
    if (report.proof !== null) return;
    if (result.fenced) {
      prove({ statedBy: result.agent, basis: 'fenced', bootId: result.bootId });
      return;
    }
    const reason = result.reason === null ? 'no fencing device is configured for it' : `it could not be fenced: ${result.reason}`;
    tell({
      phase: 'asking',
      askedAt: report.askedAt ?? workflowInstant(),
      question: `${node} is silent on every path, and ${reason}. Look at the machine, switch its power off, then: kedge node confirm-dead ${node} --confirm ${node}`,
    });
  }

  /** Why it is left alone although it is silent: fencing it would start no guest elsewhere, or a window is at work on it, which may well be a reboot. Null: it is not. */
  async function whySpared(cluster: ClusterLook): Promise<string | null> {
    const { ended } = await control.findEndedHolders({ workflowIds: [upkeepWorkflowId(node)] });
    if (ended.length === 0) return 'a maintenance window is at work on it: "kedge window list" says which';
    const seen = await listLost(cluster);
    const { guests, left } = recoverableGuests(seen);
    tell({ left: [...left, ...unseenGuests(node, { seen, lastGuests: cluster.lastGuests, taken: report.taken })] });
    return guests.some(({ guest }) => guest.wanted !== 'stopped') ? null : 'no guest that should run could be started elsewhere, so it is not fenced';
  }

  /** What each node that is heard sees of its guests; one that can't say is not in the answer. */
  async function listLost(cluster: ClusterLook): Promise<ReadonlyMap<NodeName, LostGuests>> {
    const seen = new Map<NodeName, LostGuests>();
    await Promise.all(
      heardOf(cluster).map(async (name) => {
        const found = await onNode(name, timings)
          .ping.listLostGuests({ lost: node })
          .catch(() => null);
        if (found !== null) seen.set(name, found);
      }),
    );
    return seen;
  }

  /** One of the few places to fence from: its workflow id is the place. Who finds none waits for the next look. */
  async function fence(): Promise<FenceResult> {
    for (let place = 0; place < (input.fencesAtOnce ?? 1); place += 1) {
      try {
        const child = await startChild<typeof fenceLostNode>(WORKFLOW_TYPES.fenceLostNode, {
          workflowId: fenceWorkflowId(place),
          workflowTaskTimeout: '3 seconds',
          args: [{ node, timings: input.timings }],
        });
        return await child.result();
      } catch (error) {
        if (!isTaken(error)) return { fenced: false, reason: readFailure(error).message };
      }
    }
    return { fenced: false, reason: 'another node is being fenced, and one after the other it shall be' };
  }

  /** `isBack`: in another boot, which has heard that the guests which are owed are void there, and has all others again. */
  async function takeGuests(proof: DeathProof, { cluster, isBack }: { cluster: ClusterLook; isBack: boolean }): Promise<void> {
    if (isBack) tell({ phase: 'settling', left: [] });
    const seen = await listLost(cluster);
    const found = recoverableGuests(seen);
    const guests = found.guests.filter(({ guest }) => !isBack || report.owed.includes(guest.vmid));
    const untold = isBack ? [] : unseenGuests(node, { seen, lastGuests: cluster.lastGuests, taken: report.taken });
    const later: RecoveryReport['left'][number][] = [...found.left.filter(({ vmid }) => !isBack || report.owed.some((owed) => owed === vmid)), ...untold];
    const placed: { guest: LostGuest; to: NodeName }[] = [];
    for (let waiting = guests; waiting.length > 0; ) {
      const place = await control.placeLost({ lost: node, guests: waiting, placed });
      const one = waiting.find(({ guest }) => guest.vmid === place.vmid);
      waiting = waiting.filter((other) => other !== one);
      if (one === undefined) continue;
      const taken = await takeGuest(proof, { one, place, isBack });
      if ('to' in taken) placed.push({ guest: one.guest, to: taken.to });
      else later.push({ vmid: one.guest.vmid, reason: taken.reason });
    }
    // What is owed and was not seen is another's by now, as its storage says: somebody had taken it, and only the answer was lost.
    const isKnown = (vmid: Vmid): boolean => seen.size === 0 || later.some((one) => one.vmid === vmid || one.vmid === null);
    tell({ left: later, owed: report.owed.filter(isKnown) });
  }

  /** Who has it now; or why nobody has, or not yet. */
  async function takeGuest(
    proof: DeathProof,
    { one, place, isBack }: { one: Recoverable; place: LostPlace; isBack: boolean },
  ): Promise<{ to: NodeName } | { reason: string }> {
    const { guest, seenBy } = one;
    const { vmid } = guest;
    const { ended } = await control.findEndedHolders({ workflowIds: [migrationWorkflowId(guest.vmid)] });
    if (ended.length === 0) return { reason: 'a migration of it is under way, which decides what becomes of it' };
    // The node itself comes last: it has just failed.
    const targets = isBack && seenBy.includes(node) ? [...place.targets, node] : place.targets;
    if (targets.length === 0) return { reason: `no node can take it: ${place.reason}` };
    const reasons: string[] = [];
    for (const to of targets) {
      try {
        const decision = { vmid, migrationId: recoveryIdOf(guest), below: takeOverGeneration(guest.newest), takenBy: to, at: workflowInstant() };
        if (!isBack) {
          await control.voidGuest({ node, bootId: proof.bootId, guest: { ...decision, statedBy: proof.statedBy, basis: proof.basis } });
          if (!report.owed.includes(vmid)) tell({ owed: [...report.owed, vmid] });
        }
        const result = await onNode(to, timings).settle.takeOverLost(requestOf(guest));
        if (result.outcome === 'taken') {
          tell({ taken: [...report.taken, { vmid, to, problem: result.problem, at: workflowInstant() }], owed: report.owed.filter((other) => other !== vmid) });
          return { to };
        }
        reasons.push(`${to}: ${result.reason}`);
      } catch (error) {
        const { code, message } = readFailure(error);
        if (code === 'node-alive') return { reason: message };
        reasons.push(`${to}: ${message}`);
      }
    }
    return { reason: reasons.join('; ') };
  }
}

/** Those that the control plane hears now. The suspect is none of them. */
function heardOf({ nodes }: ClusterLook): readonly NodeName[] {
  return nodes.filter(({ bootId, silentSince }) => bootId !== null && silentSince === null).map(({ node }) => node);
}

function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'node-alive', message, nonRetryable: true });
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError';
}
