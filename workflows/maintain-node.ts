/**
 * The maintenance of one node, `upkeep-<node>`: empty it, have the work done, look whether it is well, bring its guests home.
 *
 * Its id is the node's mutex: two windows never work on the same node, because this execution spans all of it, from the drain to the restore.
 *
 * What a crash between any two steps means: the control worker keeps nothing, the steps are in the history. Only the command is different. It is
 * given to a worker once; when that dies, or the connection, nobody knows whether it ran, runs or has ended. Then the operator is asked, unless
 * the window says that the command may be repeated. It is never repeated silently, and guests come back only after an answer: until then the
 * node stays cordoned and empty. A reboot needs no answer: another boot of the node is the proof, and without one the operator is asked too.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, condition, executeChild, isCancellation, setHandler, upsertMemo, ApplicationFailure } from '@temporalio/workflow';
import type { EvacuateNodeInput, EvacuationReport } from '../src/domain/evacuation.js';
import { readFailure } from '../src/domain/read-failure.js';
import type { NodeOutcome, NodeResult, Upkeep, UpkeepProgress, WorkAnswer } from '../src/domain/window/window.js';
import type { NodeName } from '../src/domain/ids.js';
import { evacuationWorkflowId, WORKFLOW_TYPES } from '../src/domain/workflow-names.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { workAnswerUpdate } from './messages.js';
import { doWork, isWell, type Ask, type WorkEnd } from './node-work.js';
import { onControl, onNode } from './on-node.js';
import { startAgain } from './start-again.js';
import { instantMs, workflowInstant, workflowTimeMs } from './workflow-time.js';

export interface MaintainNodeInput extends Upkeep {
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** Workflow type `maintainNode`. A cancel is heard until the work begins; what was begun on the node is brought to its end. */
export async function maintainNode(input: MaintainNodeInput): Promise<NodeOutcome> {
  const { node, window, closesAt } = input;
  const timings = withTimings(input.timings);
  let progress: UpkeepProgress = { window, node, phase: 'draining', question: null };
  let answer: WorkAnswer | null = null;
  const keep = (changes: Partial<UpkeepProgress>): void => {
    progress = { ...progress, ...changes };
    upsertMemo({ upkeep: progress });
  };
  const ended = (result: NodeResult, reason: string | null = null, output: string | null = null): NodeOutcome => ({ node, result, reason, output });

  setHandler(
    workAnswerUpdate,
    (given) => {
      answer = given.answer;
      return { answered: given.answer };
    },
    {
      validator: (given: { window: string; answer: WorkAnswer }) => {
        if (given.window !== window)
          throw ApplicationFailure.nonRetryable(`Cannot answer for window ${given.window}: ${node} is maintained by window ${window}`, 'guest-state');
        if (progress.question === null || answer !== null)
          throw ApplicationFailure.nonRetryable(`Cannot answer for ${node}: it waits for nobody, it is ${progress.phase}`, 'guest-state');
      },
    },
  );
  const ask: Ask = async (question) => {
    const { phase } = progress;
    keep({ phase: 'waiting-for-operator', question, since: workflowInstant() });
    await condition(() => answer !== null);
    const given = answer ?? 'failed';
    answer = null;
    keep({ phase, question: null, since: null });
    return given;
  };

  keep({});
  const drained = await evacuate(input, 'evacuateNode').catch((error: unknown) => notDrained(error));
  if ('result' in drained) return ended(drained.result, drained.reason);
  if (drained.end === 'cancelled') return ended('cancelled', `The drain was cancelled; ${asItStays(drained)}`);
  return CancellationScope.nonCancellable(async () => {
    const why = whyNotDrained(drained) ?? (await whyInUse(node, timings));
    const isLate = workflowTimeMs() >= instantMs(closesAt);
    if (why !== null || isLate || drained.end === 'out-of-time') {
      const restored = await giveBack(drained);
      return drained.end === 'out-of-time' || why === null
        ? ended('out-of-time', joined('The window closed before the node was empty', restored))
        : ended('not-touched', joined(why, restored));
    }
    keep({ phase: 'working' });
    const work: WorkEnd = await doWork(input, { timings, ask });
    if (!work.isDone) return ended('failed', `${work.reason}; ${asItStays(drained)}`, work.output);
    keep({ phase: 'checking' });
    const ill = await isWell(input, { timings });
    if (ill !== null) return ended('failed', `${ill}; ${asItStays(drained)}`, work.output);
    return ended('done', await giveBack(drained), work.output);
  });

  /**
   * A node that is well takes guests again: those that its drain shut down run again, and its own come home when the window says so, however late it
   * is by then. Answers what did not.
   */
  async function giveBack({ shutDown }: EvacuationReport): Promise<string | null> {
    keep({ phase: 'restoring' });
    const off = await startAgain(node, { vmids: shutDown, timings });
    return joined(off, await bringHome());
  }

  async function bringHome(): Promise<string | null> {
    if (!input.restore) {
      await onControl(timings).cordonNode({ node, cordoned: false });
      return null;
    }
    try {
      const { stayed, end } = await evacuate(input, 'restoreNode');
      if (end === 'done') return null;
      return `Not all guests are home (${String(end)}): ${stayed.map(({ vmid, reason }) => `${String(vmid)}: ${reason}`).join('; ') || 'see the report of the restore'}`;
    } catch (error) {
      return `The guests were not brought home: ${readFailure(error).message}`;
    }
  }
}

/** Of a node that is not given back. */
function asItStays({ shutDown }: EvacuationReport): string {
  return `the node stays cordoned${shutDown.length === 0 ? '' : `, and guests that were shut down stay off: ${shutDown.join(', ')}`}`;
}

function evacuate(input: MaintainNodeInput, type: 'evacuateNode' | 'restoreNode'): Promise<EvacuationReport> {
  const { node, window, parallel, timings } = input;
  const args: EvacuateNodeInput = {
    node,
    requestedBy: `window ${window}`,
    priority: 'maintenance',
    // Only the drain begins something: a restore brings to its end what was begun.
    ...(type === 'evacuateNode' ? drainLimits(input) : {}),
    ...(parallel == null ? {} : { parallel }),
    ...(timings === undefined ? {} : { timings }),
  };
  return executeChild<(input: EvacuateNodeInput) => Promise<EvacuationReport>>(WORKFLOW_TYPES[type], {
    workflowId: evacuationWorkflowId(node),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [args],
  });
}

/** One guest that is waited for must not cost the node, and those after it, the whole window: half of what is left is for the work and for others. */
function drainLimits({ closesAt, force = 'skip' }: MaintainNodeInput): Pick<EvacuateNodeInput, 'until' | 'waitUntil' | 'force'> {
  const leftMs = Math.max(0, instantMs(closesAt) - workflowTimeMs());
  return { until: closesAt, waitUntil: workflowInstant(leftMs / 2), force };
}

function notDrained(error: unknown): { readonly result: NodeResult; readonly reason: string } {
  if (error instanceof WorkflowExecutionAlreadyStartedError) return { result: 'busy', reason: 'Somebody else drains or restores the node' };
  if (isCancellation(error)) return { result: 'cancelled', reason: 'Cancelled while the node was drained; it stays cordoned' };
  return { result: 'not-touched', reason: `The drain failed: ${readFailure(error).message}` };
}

function whyNotDrained({ end, stayed, moving }: EvacuationReport): string | null {
  if (end === 'done' && stayed.length === 0 && moving.length === 0) return null;
  return `The node is not empty: ${stayed.map(({ vmid, reason }) => `${String(vmid)}: ${reason}`).join('; ') || `its drain ended as ${String(end)}`}`;
}

/**
 * The drain's report is not enough: work may end everything that runs there, what Kedge knows nothing of too. The node itself is asked for its
 * processes now. Its presence won't do: that is some seconds old, and shows a guest which has just left.
 */
async function whyInUse(node: NodeName, timings: WorkflowTimings): Promise<string | null> {
  try {
    const { processes } = await onNode(node, timings).ping.auditNode({ node });
    const running = processes.map(({ vmid, pid }) => (vmid === null ? `process ${String(pid)}` : String(vmid)));
    return running.length === 0 ? null : `The node is not empty: ${running.join(', ')} ${running.length === 1 ? 'runs' : 'run'} there`;
  } catch (error) {
    return `The node does not say whether it is empty: ${readFailure(error).message}`;
  }
}

function joined(...sentences: readonly (string | null)[]): string | null {
  return sentences.filter((one) => one !== null).join('. ') || null;
}
