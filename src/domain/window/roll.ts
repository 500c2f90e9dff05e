import { assertNever } from '../assert-never.js';
import type { NodeName } from '../ids.js';
import type { NodeOutcome, WindowDefinition, WindowEnd, WindowReport } from './window.js';

/** How far the nodes of a window are in their round, which may take several openings. */
export type Round = Required<Pick<WindowReport, 'finished' | 'passedOver'>>;

/** A round goes on until each node has had its turn, however that ended: one that never gets done must not keep all others waiting. */
export function roundBefore(previous: WindowReport | null, nodes: readonly NodeName[]): Round {
  const { finished = [], passedOver = [], outcomes = [] } = previous ?? {};
  const had = [...finished, ...passedOver, ...outcomes.filter(({ result }) => result === 'failed').map(({ node }) => node)];
  if (nodes.every((node) => had.includes(node))) return { finished: [], passedOver: [] };
  const known = (node: NodeName): boolean => nodes.includes(node);
  return { finished: finished.filter(known), passedOver: passedOver.filter(known) };
}

/** Was it woken so late that its rule says to leave it out? Its end stands fixed, so a late one is shorter too. */
export function isMissed(definition: Pick<WindowDefinition, 'lateMs' | 'durationMs'>, { opensMs, nowMs }: { opensMs: number; nowMs: number }): boolean {
  return nowMs > opensMs + Math.min(definition.lateMs, definition.durationMs);
}

export interface RollState {
  /** All of this window, in their order. */
  readonly nodes: readonly NodeName[];
  /** Done in earlier windows of this round. */
  readonly finished: readonly NodeName[];
  /** Had their turn in earlier windows of this round, and are not done: they come last. */
  readonly passedOver: readonly NodeName[];
  readonly outcomes: readonly NodeOutcome[];
  readonly atWork: readonly NodeName[];
  readonly nowMs: number;
  readonly closesMs: number;
  readonly isCancelled: boolean;
}

/** What is to be done now: begin with these nodes (none: wait), or end. What has begun is always waited for. */
export type RollStep = { readonly do: 'begin'; readonly nodes: readonly NodeName[] } | { readonly do: 'end'; readonly end: WindowEnd };

/**
 * Decides how a window goes on. A node whose outcome is not known yet counts as out of service, so never more than `atOnce` are; one whose work
 * failed stays out of service too: with `continue` it takes none of the places, since the operator has said that the roll goes on without it.
 */
export function nextRollStep({ atOnce, onFailure }: Pick<WindowDefinition, 'atOnce' | 'onFailure'>, state: RollState): RollStep {
  const { nodes, finished, passedOver, outcomes, atWork } = state;
  const hasFailed = outcomes.some(({ result }) => result === 'failed');
  const isOver = state.isCancelled || state.nowMs >= state.closesMs || (hasFailed && onFailure === 'stop');
  const inTurn = [...nodes.filter((node) => !passedOver.includes(node)), ...nodes.filter((node) => passedOver.includes(node))];
  const due = inTurn.filter((node) => !finished.includes(node) && !atWork.includes(node) && !outcomes.some((outcome) => outcome.node === node));
  if (!isOver && due.length > 0) return { do: 'begin', nodes: due.slice(0, Math.max(0, atOnce - atWork.length)) };
  if (atWork.length > 0) return { do: 'begin', nodes: [] };
  if (hasFailed) return { do: 'end', end: 'failed' };
  if (due.length === 0 && outcomes.every(({ result }) => result === 'done')) return { do: 'end', end: 'done' };
  return { do: 'end', end: state.isCancelled ? 'cancelled' : 'some-left' };
}

/** The end of what failed work printed says why; the rest would make a report of many nodes large, which is written again at each node's end. */
const SHOWN_OUTPUT = 800;

/** An outcome as a window reports it. */
export function inBrief({ output, ...outcome }: NodeOutcome): NodeOutcome {
  return { ...outcome, output: outcome.result === 'failed' ? (output?.slice(-SHOWN_OUTPUT) ?? null) : null };
}

/** The round after these outcomes of an opening. */
export function roundAfter({ finished, passedOver }: Round, outcomes: readonly NodeOutcome[], onFailure: WindowDefinition['onFailure']): Round {
  const nodesThat = (did: (outcome: NodeOutcome) => boolean): readonly NodeName[] => outcomes.filter(did).map(({ node }) => node);
  const done = nodesThat(({ result }) => result === 'done');
  // A node that ran out of time behind others has not had its turn: the next opening begins with it.
  const hadAllTheTime = outcomes.every(({ result }) => result === 'out-of-time');
  const passed = nodesThat(({ result }) => {
    switch (result) {
      case 'not-touched':
      case 'busy':
        return true;
      case 'out-of-time':
        return hadAllTheTime;
      // Where it has stopped the roll, the next opening begins with it, before it touches more of them.
      case 'failed':
        return onFailure === 'continue';
      case 'done':
      case 'cancelled':
        return false;
      default:
        return assertNever(result);
    }
  });
  return { finished: [...finished, ...done], passedOver: [...new Set([...passedOver, ...passed])].filter((node) => !done.includes(node)) };
}
