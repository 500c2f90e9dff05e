import type { EvacuationReport } from '../evacuation.js';
import type { ClusterEvent, EventKind } from './event.js';
import type { EvacuationFact } from './facts.js';

type End = 'started' | 'ended' | 'cancelled' | 'failed';

const KINDS: Readonly<Record<EvacuationReport['plan'], Readonly<Record<End, EventKind>>>> = {
  evacuate: { started: 'drain-started', ended: 'drain-ended', cancelled: 'drain-cancelled', failed: 'drain-failed' },
  restore: { started: 'undrain-started', ended: 'undrain-ended', cancelled: 'undrain-cancelled', failed: 'undrain-failed' },
};

/**
 * A drain may go on in several runs, all of which report the instant of its start: ids are made of that. While no report can be read nothing is
 * told, not even the start, since it could not be recognised afterwards.
 */
export function eventsOfEvacuation({ run, said, failure, plan, node }: EvacuationFact): readonly ClusterEvent[] {
  if (run.state === 'continued' || (run.endedAt === null && said === null)) return [];
  const name = plan === 'evacuate' ? `Drain of ${node}` : `Return of guests to ${node}`;
  const event = (end: End, { at, text }: Pick<ClusterEvent, 'at' | 'text'>): ClusterEvent => ({
    id: `${run.workflowId}.${said?.startedAt ?? run.runId}.${end === 'started' ? 'started' : 'ended'}`,
    at,
    kind: KINDS[plan][end],
    text: `${name} ${text}`,
    vmid: null,
    nodes: [node],
    workflowId: run.workflowId,
  });
  const by = said === null ? '' : `, asked for by ${said.requestedBy}`;
  const started = event('started', { at: said?.startedAt ?? run.startedAt, text: `started${by}` });
  if (run.endedAt === null) return [started];
  // Without a report the start has another id than it was told under: it would be told again.
  return [...(said === null ? [] : [started]), event(endOf({ run, said, failure }), { at: run.endedAt, text: endText({ said, failure }) })];
}

function endOf({ run, said, failure }: Pick<EvacuationFact, 'run' | 'said' | 'failure'>): End {
  if (failure !== null || run.state === 'failed') return failure?.code === 'cancelled' ? 'cancelled' : 'failed';
  if (said?.end === 'cancelled') return 'cancelled';
  return said?.end === 'some-stayed' || said?.end === 'out-of-time' ? 'failed' : 'ended';
}

function endText({ said, failure }: Pick<EvacuationFact, 'said' | 'failure'>): string {
  if (failure !== null) return failure.code === 'cancelled' ? 'was cancelled' : `failed: ${failure.message}`;
  if (said === null) return 'was ended by force';
  const count = `${said.moved.length} moved, ${said.shutDown.length} shut down, ${said.stayed.length} stayed`;
  const first = said.stayed.map(({ vmid, reason }) => `${vmid}: ${reason}`)[0];
  const why = first === undefined ? '' : ` (${first}${said.stayed.length > 1 ? ', and others' : ''})`;
  return `ended as ${said.end ?? 'done'}: ${count}${why}`;
}
