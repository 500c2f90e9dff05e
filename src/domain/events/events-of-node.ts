import type { NodeEntityStatus } from '../node-facts.js';
import type { ClusterEvent } from './event.js';
import type { NodeFact, RecoveryFact } from './facts.js';

/** What changed from one state of a node's entity to the next. Ids are made of the instants that the entity itself keeps, where it keeps one. */
export function eventsOfNode({ run, node, states }: NodeFact): readonly ClusterEvent[] {
  const event = (what: string, rest: Pick<ClusterEvent, 'at' | 'kind' | 'text'>): ClusterEvent => ({
    id: `${run.workflowId}.${what}`,
    ...rest,
    vmid: null,
    nodes: [node],
    workflowId: run.workflowId,
  });
  return states.flatMap(({ at, status }, index) => {
    const before = states[index - 1]?.status;
    return before === undefined
      ? []
      : changes(before, status).map(([kind, since, text]) => event(`${kind}.${since ?? at}`, { at: since ?? at, kind, text: `${node} ${text}` }));
  });
}

type Change = readonly [kind: ClusterEvent['kind'], since: string | null, text: string];

function changes(before: NodeEntityStatus, after: NodeEntityStatus): readonly Change[] {
  const found: Change[] = [];
  if (after.registeredAt !== null && after.registeredAt !== before.registeredAt)
    found.push(['node-registered', after.registeredAt, `registered${after.bootId === before.bootId ? ' again' : ` boot ${after.bootId ?? ''}`}`]);
  if (after.silentSince !== null && after.silentSince !== before.silentSince) found.push(['node-silent', after.silentSince, 'is not heard any more']);
  if (after.cordoned !== before.cordoned)
    found.push(
      after.cordoned ? ['node-cordoned', null, 'takes no more guests: it was cordoned'] : ['node-uncordoned', null, 'takes guests again: it was uncordoned'],
    );
  return found;
}

/** A recovery may go on in several runs, all of which report the instant of its start. A node that was heard all along has no events of it. */
export function eventsOfRecovery({ run, said, failure, node }: RecoveryFact): readonly ClusterEvent[] {
  if (run.state === 'continued') return [];
  const start = said?.startedAt ?? null;
  const event = (what: string, rest: Pick<ClusterEvent, 'at' | 'kind' | 'text'>): ClusterEvent => ({
    id: `${run.workflowId}.${start ?? run.runId}.${what}`,
    ...rest,
    vmid: null,
    nodes: [node],
    workflowId: run.workflowId,
  });
  const events: ClusterEvent[] = [];
  const failed = failure ?? (run.state === 'failed' ? { message: 'it was ended by force' } : null);
  if (failed !== null && run.endedAt !== null)
    events.push(event('ended', { at: run.endedAt, kind: 'node-recovery-failed', text: `The recovery of ${node} failed: ${failed.message}` }));
  if (said === null || (said.silentSince === null && said.proof === null && said.evidence.length === 0)) return events;
  const startedAt = start ?? run.startedAt;
  const { proof, question, taken } = said;
  const since = said.silentSince === null ? '' : ` since ${said.silentSince}`;
  events.push(event('suspect', { at: startedAt, kind: 'node-suspect', text: `${node} is suspect: it is not heard${since}` }));
  if (said.phase === 'asking' && question !== null) {
    const at = said.askedAt ?? startedAt;
    events.push(event(`needs-operator.${at}`, { at, kind: 'node-needs-operator', text: question }));
  }
  if (proof !== null) {
    const text = proof.basis === 'fenced' ? `${node} was fenced by ${proof.statedBy}` : `${node} was stated to be off by ${proof.statedBy}`;
    events.push(event(`fenced.${proof.bootId}`, { at: proof.at ?? startedAt, kind: 'node-fenced', text }));
  }
  for (const { vmid, to, problem, at } of taken) {
    const text = `Guest ${vmid} of ${node} was taken over by ${to}${problem === null ? '' : `, but: ${problem}`}`;
    events.push({ ...event(`taken.${vmid}`, { at: at ?? startedAt, kind: 'guest-taken', text }), vmid, nodes: [node, to] });
  }
  if (run.state === 'completed' && run.endedAt !== null) events.push(event('ended', { at: run.endedAt, kind: 'node-back', text: `${node} is heard again` }));
  return events;
}
