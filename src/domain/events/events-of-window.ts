import { assertNever } from '../assert-never.js';
import type { NodeResult } from '../window/window.js';
import type { ClusterEvent, EventKind } from './event.js';
import type { UpkeepFact, WindowFact } from './facts.js';

/** One opening of a window is one run. */
export function eventsOfWindow({ run, said, failure, window }: WindowFact): readonly ClusterEvent[] {
  const event = (what: string, rest: Pick<ClusterEvent, 'at' | 'kind' | 'text'>): ClusterEvent => ({
    id: `${run.workflowId}.${run.runId}.${what}`,
    ...rest,
    vmid: null,
    nodes: (said?.outcomes ?? []).map(({ node }) => node),
    workflowId: run.workflowId,
  });
  if (run.endedAt !== null && said?.end === 'missed')
    return [event('ended', { at: run.endedAt, kind: 'window-missed', text: `Window ${window} was missed: it could not open in time` })];
  const until = said === null ? '' : ` until ${said.closesAt}`;
  const opened = { ...event('opened', { at: run.startedAt, kind: 'window-opened', text: `Window ${window} opened${until}` }), nodes: [] };
  if (run.endedAt === null) return [opened];
  const results = (said?.outcomes ?? []).map(({ node, result }) => `${node} ${result}`).join(', ');
  // A cancel before it knew its nodes ends the execution itself.
  const isFailed = failure === null ? run.state === 'failed' || said?.end === 'failed' : failure.code !== 'cancelled';
  const text = `Window ${window} ended${said?.end == null ? '' : ` as ${said.end}`}${results === '' ? '' : `: ${results}`}${failure === null ? '' : `: ${failure.message}`}`;
  return [opened, event('ended', { at: run.endedAt, kind: isFailed ? 'window-failed' : 'window-closed', text })];
}

/** One node in one opening of a window. */
export function eventsOfUpkeep({ run, said, failure, node, progress }: UpkeepFact): readonly ClusterEvent[] {
  const window = progress?.window ?? null;
  const name = `The maintenance of ${node}${window === null ? '' : ` by window ${window}`}`;
  const event = (what: string, rest: Pick<ClusterEvent, 'at' | 'kind' | 'text'>): ClusterEvent => ({
    id: `${run.workflowId}.${run.runId}.${what}`,
    ...rest,
    vmid: null,
    nodes: [node],
    workflowId: run.workflowId,
  });
  const events = [event('started', { at: run.startedAt, kind: 'window-node-started', text: `${name} started` })];
  if (run.endedAt === null) {
    if (progress?.question != null) {
      const since = progress.since ?? run.startedAt;
      events.push(event(`needs-operator.${since}`, { at: since, kind: 'window-needs-operator', text: `${name} waits for an operator: ${progress.question}` }));
    }
    return events;
  }
  const reason = failure?.message ?? said?.reason ?? null;
  const text = `${name} ended: ${said?.result ?? 'failed'}${reason === null ? '' : `: ${reason}`}`;
  return [...events, event('ended', { at: run.endedAt, kind: kindOf(run.state === 'completed' ? (said?.result ?? 'failed') : 'failed'), text })];
}

/** What is left for another opening, or to another who is at work there, has not failed. */
function kindOf(result: NodeResult): EventKind {
  switch (result) {
    case 'done':
      return 'window-node-done';
    case 'busy':
    case 'out-of-time':
    case 'cancelled':
      return 'window-node-left';
    case 'not-touched':
    case 'failed':
      return 'window-node-failed';
    default:
      return assertNever(result);
  }
}
