import type { NodeName } from '../ids.js';
import type { NodeOutcome, WindowDefinition, WindowEnd, WindowReport } from './window.js';

/** A round that an earlier window left unfinished goes on with the nodes that are missing; otherwise all are due. */
export function finishedBefore(previous: WindowReport | null, nodes: readonly NodeName[]): readonly NodeName[] {
  const finished = (previous?.finished ?? []).filter((node) => nodes.includes(node));
  return finished.length === nodes.length ? [] : finished;
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
  const { nodes, finished, outcomes, atWork } = state;
  const hasFailed = outcomes.some(({ result }) => result === 'failed');
  const isOver = state.isCancelled || state.nowMs >= state.closesMs || (hasFailed && onFailure === 'stop');
  const due = nodes.filter((node) => !finished.includes(node) && !atWork.includes(node) && !outcomes.some((outcome) => outcome.node === node));
  if (!isOver && due.length > 0) return { do: 'begin', nodes: due.slice(0, Math.max(0, atOnce - atWork.length)) };
  if (atWork.length > 0) return { do: 'begin', nodes: [] };
  if (hasFailed) return { do: 'end', end: 'failed' };
  if (due.length === 0 && outcomes.every(({ result }) => result === 'done')) return { do: 'end', end: 'done' };
  return { do: 'end', end: state.isCancelled ? 'cancelled' : 'some-left' };
}

/** The nodes of the round that are done after these outcomes. */
export function finishedAfter(finished: readonly NodeName[], outcomes: readonly NodeOutcome[]): readonly NodeName[] {
  return [...finished, ...outcomes.filter(({ result }) => result === 'done').map(({ node }) => node)];
}
