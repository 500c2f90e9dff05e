import type { ClusterEvent, EventKind } from './event.js';
import type { BalanceFact } from './facts.js';

/** A balance may go on in several runs, as a drain: ids are made of the instant of its start, which its report has. */
export function eventsOfBalance({ run, said, failure }: BalanceFact): readonly ClusterEvent[] {
  if (run.state === 'continued' || (run.endedAt === null && said === null)) return [];
  const event = (what: 'started' | 'ended', rest: Pick<ClusterEvent, 'at' | 'kind' | 'text'>): ClusterEvent => ({
    id: `${run.workflowId}.${said?.startedAt ?? run.runId}.${what}`,
    ...rest,
    vmid: null,
    nodes: (said?.nodes ?? []).map(({ node }) => node),
    workflowId: run.workflowId,
  });
  const text = `The balance started${said === null ? '' : `, asked for by ${said.requestedBy}`}`;
  // Without a report the start has another id than it was told under: it would be told again.
  const started = said === null ? [] : [event('started', { at: said.startedAt, kind: 'balance-started', text })];
  if (run.endedAt === null) return started;
  return [...started, event('ended', { at: run.endedAt, kind: kindOf({ run, said, failure }), text: `The balance ${endText({ said, failure })}` })];
}

type Ended = Pick<BalanceFact, 'run' | 'said' | 'failure'>;

function kindOf({ run, said, failure }: Ended): EventKind {
  if (said?.end === 'cancelled' || failure?.code === 'cancelled') return 'balance-cancelled';
  return run.state === 'failed' || said?.end === 'failing' ? 'balance-failed' : 'balance-ended';
}

function endText({ said, failure }: Pick<Ended, 'said' | 'failure'>): string {
  if (failure !== null) return failure.code === 'cancelled' ? 'was cancelled' : `failed: ${failure.message}`;
  if (said === null) return 'was ended by force';
  const [first, ...others] = said.failed;
  const why = first === undefined ? '' : ` (${first.vmid}: ${first.reason}${others.length > 0 ? ', and others' : ''})`;
  return `ended as ${said.end ?? 'done'}: ${said.moved.length} moved, ${said.failed.length} moves failed${why}`;
}
