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
import type { FenceResult } from '../activities/interface-control.js';
import type { NodeName } from '../src/domain/ids.js';
import type { LostGuests } from '../src/domain/lost-guest.js';
import type { NodeStatus } from '../src/domain/node-facts.js';
import { readFailure } from '../src/domain/read-failure.js';
import {
  recoverableGuests,
  recoveryIdOf,
  requestOf,
  targetsFor,
  type DeathProof,
  type Recoverable,
  type RecoverNodeInput,
  type RecoveryReport,
} from '../src/domain/recovery.js';
import { judgeSuspect, observersOf, whyNotDead, type NodeProbe, type SuspectEvidence } from '../src/domain/suspect-node.js';
import { fenceWorkflowId, migrationWorkflowId, WORKFLOW_TYPES } from '../src/domain/workflow-names.js';
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
  readonly status: NodeStatus | null;
  readonly nodes: readonly NodeStatus[];
}

export async function recoverNode(input: RecoverNodeInput): Promise<RecoveryReport> {
  const { node, lookEveryMs = LOOK_EVERY_MS } = input;
  const timings = withTimings(input.timings);
  const control = onControl(timings);
  let report: RecoveryReport = input.report ?? {
    node,
    phase: 'looking',
    silentSince: null,
    evidence: [],
    question: null,
    proof: null,
    taken: [],
    left: [],
  };
  let isWoken = false;
  const tell = (changes: Partial<RecoveryReport>): void => {
    report = { ...report, ...changes };
  };

  setHandler(recoveryQuery, () => report);
  setHandler(confirmDeadUpdate, async ({ statedBy }) => {
    const { evidence, status } = await look();
    const why = whyNotDead(evidence);
    if (why !== null) throw refusal(`Cannot give ${node} up: ${why}`);
    if (status?.bootId == null) throw refusal(`Cannot give ${node} up: it has never registered`);
    prove({ statedBy, basis: 'operator', bootId: status.bootId });
    isWoken = true;
    return { confirmed: true as const };
  });

  for (;;) {
    const { evidence, status, nodes } = await look();
    if (evidence.silentSince === null || (report.proof !== null && status?.bootId !== report.proof.bootId)) break;
    if (report.proof === null) await findProof(evidence);
    if (report.proof !== null) await takeGuests(report.proof, nodes);
    // A device that fails is not called without a pause.
    await condition(() => isWoken, report.phase === 'asking' ? 4 * lookEveryMs : lookEveryMs);
    isWoken = false;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof recoverNode>({ ...input, report });
    }
  }
  await condition(allHandlersFinished);
  tell({ phase: 'back', question: null });
  return report;

  function prove(proof: DeathProof): void {
    tell({ proof, phase: 'starting', question: null });
  }

  async function look(): Promise<Look> {
    const { nodes } = await control.lookAtCluster();
    const status = nodes.find((one) => one.node === node) ?? null;
    const heard = nodes.filter(({ bootId, silentSince }) => bootId !== null && silentSince === null).map((one) => one.node);
    const silentSince = status === null || status.bootId === null ? null : status.silentSince;
    const probes = silentSince === null ? [] : await Promise.all(observersOf({ node, heard }).map(probe));
    const evidence = { node, silentSince, configured: nodes.map((one) => one.node), heard, probes: probes.flatMap((found) => (found === null ? [] : [found])) };
    tell({ silentSince });
    return { evidence, status, nodes };
  }

  /** A node that can't look says nothing of the suspect. */
  async function probe(from: NodeName): Promise<NodeProbe | null> {
    return onNode(from, timings)
      .ping.probeNode({ node })
      .catch(() => null);
  }

  async function findProof(evidence: SuspectEvidence): Promise<void> {
    const verdict = judgeSuspect(evidence);
    if (verdict.is === 'back') return;
    tell({ evidence: verdict.facts });
    if (verdict.is !== 'silent') {
      tell({ phase: 'looking', question: null });
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
      question: `${node} is silent on every path, and ${reason}. Look at the machine, switch its power off, then: kedge node confirm-dead ${node} --confirm ${node}`,
    });
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

  async function takeGuests(proof: DeathProof, nodes: readonly NodeStatus[]): Promise<void> {
    const able = nodes.filter(({ node: name, silentSince, bootId }) => name !== node && bootId !== null && silentSince === null);
    const seen = new Map<NodeName, LostGuests>();
    await Promise.all(
      able.map(async ({ node: name }) => {
        const found = await onNode(name, timings)
          .ping.listLostGuests({ lost: node })
          .catch(() => null);
        if (found !== null) seen.set(name, found);
      }),
    );
    const { guests, left } = recoverableGuests(seen);
    const later: RecoveryReport['left'][number][] = [...left];
    for (const one of guests) {
      const reason = await takeGuest(proof, { one, able });
      if (reason !== null) later.push({ vmid: one.guest.vmid, reason });
    }
    tell({ left: later });
  }

  /** Null: it is taken over; else why not, or not yet. */
  async function takeGuest(proof: DeathProof, { one, able }: { one: Recoverable; able: readonly NodeStatus[] }): Promise<string | null> {
    const { guest } = one;
    const { ended } = await control.findEndedHolders({ workflowIds: [migrationWorkflowId(guest.vmid)] });
    if (ended.length === 0) return 'a migration of it is under way, which decides what becomes of it';
    const targets = targetsFor(one, able.map(roomOf));
    if (targets.length === 0) return `none of ${one.seenBy.join(', ')} has the room and the bridges for it, and takes guests`;
    const reasons: string[] = [];
    for (const to of targets) {
      try {
        const { vmid } = guest;
        const decision = { vmid, migrationId: recoveryIdOf(guest), below: takeOverGeneration(guest.newest), takenBy: to, at: workflowInstant() };
        await control.voidGuest({ node, bootId: proof.bootId, guest: { ...decision, statedBy: proof.statedBy, basis: proof.basis } });
        const result = await onNode(to, timings).settle.takeOverLost(requestOf(guest));
        if (result.outcome === 'taken') {
          tell({ taken: [...report.taken, { vmid, to, problem: result.problem }] });
          return null;
        }
        reasons.push(`${to}: ${result.reason}`);
      } catch (error) {
        const { code, message } = readFailure(error);
        if (code === 'node-alive') return message;
        reasons.push(`${to}: ${message}`);
      }
    }
    return reasons.join('; ');
  }
}

function roomOf({ node, cordoned, inventory }: NodeStatus): Parameters<typeof targetsFor>[1][number] {
  return { node, cordoned, freeBytes: inventory?.memory.availableBytes ?? 0, bridges: inventory?.bridges ?? [] };
}

function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'node-alive', message, nonRetryable: true });
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError';
}
