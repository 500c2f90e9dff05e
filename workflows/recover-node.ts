/**
 * Workflow type `recoverNode`, id `recovery-<node>`: what becomes of the guests of a node that is not heard. Runs for as long as the node is lost.
 *
 *   looking ──silent on every path, for a majority──▶ fenced, or an operator says that it is off ──▶ starting ──▶ … ──▶ settling ──▶ back
 *      └──── heard again, at any point before a guest's decision: nothing has happened ──────────────────────────────────────────────┘
 *
 * Nothing is decided in here: that a guest's record on the lost node is void is decided by the node's own entity, in the same order as its next
 * registration (`voidGuest`), and who takes the guest by the marker on its storage. So each line may be repeated, and a second recovery does no harm.
 *
 * A proof holds for one silence of one boot. Who is heard again is asked as any other node; who falls silent after that is proved to be off anew.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { ClusterLook } from '../activities/interface-control.js';
import { readFailure } from '../src/domain/read-failure.js';
import { recoverableGuests, unseenGuests, type DeathProof, type RecoverNodeInput, type RecoveryReport } from '../src/domain/recovery.js';
import { judgeSuspect, whyNotDead, type SuspectEvidence } from '../src/domain/suspect-node.js';
import { upkeepWorkflowId } from '../src/domain/workflow-names.js';
import { withTimings } from '../src/domain/workflow-timings.js';
import { believed, fenceFromPlace } from './fence-from-place.js';
import { lookAtSuspect } from './look-at-suspect.js';
import { confirmDeadUpdate, recoveryQuery } from './messages.js';
import { onControlQueue } from './on-node.js';
import { listLost, takeLostGuests, type Recovery } from './take-lost-guests.js';
import { workflowInstant } from './workflow-time.js';

const LOOK_EVERY_MS = 15_000;
/** Of what waits for a person, or for the next boot of a node that lives. */
const SLOWER = 4;

export async function recoverNode(input: RecoverNodeInput): Promise<RecoveryReport> {
  const { node, lookEveryMs = LOOK_EVERY_MS } = input;
  const timings = withTimings(input.timings);
  const control = onControlQueue(timings);
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
  const recovery: Recovery = { node, timings, control, report: () => report, tell };

  setHandler(recoveryQuery, () => report);
  setHandler(confirmDeadUpdate, async ({ statedBy }) => {
    const { evidence, bootId } = await lookAtSuspect(node, { timings, control });
    const why = whyNotDead(evidence);
    if (why !== null) throw refusal(`Cannot give ${node} up: ${why}`);
    if (bootId === null) throw refusal(`Cannot give ${node} up: it has never registered`);
    prove({ statedBy, basis: 'operator', bootId });
    isWoken = true;
    return { confirmed: true as const };
  });

  while (!(await isOver())) {
    const isSlow = report.phase === 'asking' || report.phase === 'settling';
    // A device that fails is not called without a pause.
    await condition(() => isWoken, isSlow ? SLOWER * lookEveryMs : lookEveryMs);
    isWoken = false;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof recoverNode>({ ...input, report });
    }
  }
  await condition(allHandlersFinished);
  tell({ phase: 'back', question: null, askedAt: null });
  return report;

  /** One look, and what follows from it. What can't be asked now, a file that is being edited or a server that is busy, is asked at the next one. */
  async function isOver(): Promise<boolean> {
    try {
      const isEnd = await lookOnce();
      tell({ trouble: null });
      return isEnd;
    } catch (error) {
      if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
      tell({ trouble: readFailure(error).message });
      return false;
    }
  }

  async function lookOnce(): Promise<boolean> {
    const { evidence, bootId, cluster } = await lookAtSuspect(node, { timings, control });
    tell({ silentSince: evidence.silentSince });
    if (evidence.silentSince === null) {
      if (report.owed.length === 0) return true;
      if (report.phase !== 'settling') tell({ phase: 'settling', proof: null, question: null, askedAt: null, left: [] });
      await takeLostGuests(recovery, { cluster, proof: null });
      return report.owed.length === 0;
    }
    // It was back in between, if only to register.
    if (report.proof !== null && report.proof.bootId !== bootId) tell({ proof: null, phase: 'looking' });
    if (report.proof === null) await findProof(evidence, cluster);
    if (report.proof !== null) await takeLostGuests(recovery, { cluster, proof: report.proof });
    return false;
  }

  function isProved(): boolean {
    return report.proof !== null;
  }

  function prove(proof: DeathProof): void {
    tell({ proof: { ...proof, at: workflowInstant() }, phase: 'starting', question: null, askedAt: null });
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
    // An operator may have spoken meanwhile: who confirms a death begins the recovery by it, so that both look at the same time.
    if (isProved()) return;
    if (spared !== null) {
      tell({ phase: 'looking', question: null, askedAt: null, evidence: [...verdict.facts, spared] });
      return;
    }
    if (!cluster.recovery.enabled) {
      ask('recovery is off in kedge.yaml');
      return;
    }
    const order = { node, places: cluster.recovery.fencesAtOnce, timings: input.timings, isMoot: () => isWoken };
    const result = await believed(await fenceFromPlace(order), { node, timings, control });
    if (isProved()) return;
    if (result.fenced) prove({ statedBy: result.agent, basis: 'fenced', bootId: result.bootId });
    else ask(result.reason === null ? 'no fencing device is configured for it' : `it could not be fenced: ${result.reason}`);
  }

  function ask(reason: string): void {
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
    const seen = await listLost(recovery, cluster);
    const { guests, left } = recoverableGuests(seen);
    tell({ left: [...left, ...unseenGuests(node, { seen, lastGuests: cluster.lastGuests, known: [...report.taken, ...report.owed] })] });
    const isWanted = guests.some(({ guest }) => guest.wanted !== 'stopped') || report.owed.length > 0;
    return isWanted ? null : 'no guest that should run could be started elsewhere, so it is not fenced';
  }
}

function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'node-alive', message, nonRetryable: true });
}
