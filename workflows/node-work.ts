/** What happens on a node once it is empty. */
import { sleep } from '@temporalio/workflow';
import type { CommandEnd } from '../activities/interface-control.js';
import { assertNever } from '../src/domain/assert-never.js';
import type { NodeName } from '../src/domain/ids.js';
import { readFailure } from '../src/domain/read-failure.js';
import type { Upkeep, WorkAnswer } from '../src/domain/window/window.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onControl, onWork } from './on-node.js';
import { workflowTimeMs } from './workflow-time.js';

export type WorkEnd =
  | { readonly isDone: true; readonly output: string | null }
  | { readonly isDone: false; readonly reason: string; readonly output: string | null };
/** Puts a question to the operator and waits for the answer, however long. */
export type Ask = (question: string) => Promise<WorkAnswer>;
interface Help {
  readonly timings: WorkflowTimings;
  readonly ask: Ask;
}
/** `unknown`: it may have run, may run still, or not at all. */
type Attempt = WorkEnd | { readonly unknown: string; readonly output: string | null };

/** Has the work done, asking whenever nobody can know how it ended. */
export async function doWork(upkeep: Upkeep, help: Help): Promise<WorkEnd> {
  for (;;) {
    const attempt = await tryWork(upkeep, help);
    if ('isDone' in attempt) return attempt;
    const answer = await help.ask(attempt.unknown);
    if (answer === 'done') return { isDone: true, output: attempt.output };
    if (answer === 'failed') return { isDone: false, reason: `The operator says that the work has failed (${attempt.unknown})`, output: attempt.output };
  }
}

async function tryWork({ node, work }: Upkeep, { timings }: Help): Promise<Attempt> {
  switch (work.kind) {
    case 'human':
      return { unknown: work.note, output: null };
    case 'command':
      return judged(await run({ node, command: work.command, timeoutMs: work.timeoutMs }, { timings, repeatable: work.repeatable }));
    case 'reboot':
      return reboot({ node, command: work.command, timeoutMs: work.timeoutMs }, timings);
    default:
      return assertNever(work);
  }
}

type Call = Pick<Upkeep, 'node'> & { readonly command: string; readonly timeoutMs: number };

/** A command that was taken up may have begun; a worker that died, and a connection that was lost, leave the same doubt. */
async function run(call: Call, { timings, repeatable }: { timings: WorkflowTimings; repeatable: boolean }): Promise<CommandEnd | { readonly lost: string }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const end = await onWork(timings, { timeoutMs: call.timeoutMs, repeatable }).runOnNode(call);
      if (end.exitCode !== null || !repeatable || attempt === REPEATS) return end;
    } catch (error) {
      return { lost: readFailure(error).message };
    }
    await sleep(timings.retryFirstMs * 2 ** attempt);
  }
}

const REPEATS = 5;

function judged(end: CommandEnd | { readonly lost: string }): Attempt {
  if ('lost' in end) return { unknown: `Nobody knows how the command ended, or whether it runs: ${end.lost}`, output: null };
  const { exitCode, timedOut, output } = end;
  if (timedOut) return { isDone: false, reason: 'The command took too long and was ended', output };
  if (exitCode === null) return { unknown: 'The connection was lost: nobody knows how the command ended, or whether it runs', output };
  return exitCode === 0 ? { isDone: true, output } : { isDone: false, reason: `The command exited with ${String(exitCode)}`, output };
}

/**
 * The command has all of the time: it may upgrade before it reboots, and ends at once when the connection goes down with the node. So only a plain
 * refusal counts; what proves a reboot is another boot.
 */
async function reboot(call: Call, timings: WorkflowTimings): Promise<Attempt> {
  const { node, timeoutMs } = call;
  const { bootId } = await onControl(timings).examineNode({ node });
  const end = await run(call, { timings, repeatable: false });
  if ('timedOut' in end && end.timedOut) return judged(end);
  const output = 'lost' in end ? null : end.output;
  const isRefused = !('lost' in end) && end.exitCode !== null && end.exitCode !== 0;
  const waitMs = isRefused ? Math.min(timeoutMs, timings.callTimeoutMs) : timeoutMs;
  if (await isHeard({ node, bootId, waitMs }, timings)) return { isDone: true, output };
  if (isRefused) return { isDone: false, reason: `The reboot exited with ${String(end.exitCode)}, and the node has not booted`, output };
  return { unknown: 'The node was told to reboot and has not registered another boot in time', output };
}

/** Heard in time, on another boot than this one. It only looks: a control worker that dies meanwhile, however often, only has it look again. */
async function isHeard({ node, bootId, waitMs }: { node: NodeName; bootId: string | null; waitMs: number }, timings: WorkflowTimings): Promise<boolean> {
  const endMs = workflowTimeMs() + waitMs;
  for (let leftMs = waitMs; leftMs > 0; leftMs = endMs - workflowTimeMs()) {
    try {
      const { booted } = await onWork(timings, { timeoutMs: leftMs, repeatable: true }).awaitBoot({ node, bootId, timeoutMs: leftMs });
      return booted;
    } catch {
      await sleep(timings.retryFirstMs * 4);
    }
  }
  return false;
}

/** Heard, and its check exits with 0 in time. Null: it is well; otherwise why not. A check only looks, so it is repeated. */
export async function isWell({ node, healthCheck }: Upkeep, { timings }: { timings: WorkflowTimings }): Promise<string | null> {
  if (!(await isHeard({ node, bootId: null, waitMs: timings.stepTimeoutMs }, timings))) return 'The node is not heard after the work';
  if (healthCheck === null) return null;
  const { command, timeoutMs } = healthCheck;
  const endMs = workflowTimeMs() + timeoutMs;
  for (;;) {
    const end = await run({ node, command, timeoutMs }, { timings, repeatable: true });
    if (!('lost' in end) && end.exitCode === 0) return null;
    if (workflowTimeMs() >= endMs)
      return `The health check ${'lost' in end ? `gave no answer: ${end.lost}` : `exited with ${String(end.exitCode ?? 'no code')}`}`;
    await sleep(timings.retryFirstMs * 4);
  }
}
