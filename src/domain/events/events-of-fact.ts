import type { ClusterEvent } from './event.js';
import type { DeliveryFact, EventFact, GuestCommandFact } from './facts.js';
import { eventsOfBalance } from './events-of-balance.js';
import { eventsOfEvacuation } from './events-of-evacuation.js';
import { eventsOfMigration } from './events-of-migration.js';
import { eventsOfNode, eventsOfRecovery } from './events-of-node.js';
import { eventsOfUpkeep, eventsOfWindow } from './events-of-window.js';

/**
 * The events that follow from what is known of one execution. The same facts give the same events with the same ids, later facts give those and more:
 * who remembers ids tells each event once, whoever else tells them, and however often the server or the teller is started anew.
 */
export function eventsOfFact(fact: EventFact): readonly ClusterEvent[] {
  switch (fact.of) {
    case 'migration':
      return eventsOfMigration(fact);
    case 'evacuation':
      return eventsOfEvacuation(fact);
    case 'balance':
      return eventsOfBalance(fact);
    case 'window':
      return eventsOfWindow(fact);
    case 'upkeep':
      return eventsOfUpkeep(fact);
    case 'node':
      return eventsOfNode(fact);
    case 'recovery':
      return eventsOfRecovery(fact);
    case 'guest-command':
      return eventsOfCommand(fact);
    case 'delivery':
      return eventsOfDelivery(fact);
  }
}

function eventsOfCommand({ run, vmid, verb, node, failure }: GuestCommandFact): readonly ClusterEvent[] {
  if (run.endedAt === null) return [];
  const isFailed = run.state !== 'completed';
  const where = node === null ? '' : ` on ${node}`;
  return [
    {
      id: `${run.workflowId}.${run.runId}.ended`,
      at: run.endedAt,
      kind: isFailed ? 'guest-command-failed' : 'guest-command',
      text: `Command ${verb} of guest ${vmid}${where} ${isFailed ? `failed: ${failure?.message ?? 'it was ended by force'}` : 'was done'}`,
      vmid,
      nodes: node === null ? [] : [node],
      workflowId: run.workflowId,
    },
  ];
}

function eventsOfDelivery({ run, hook, eventId, lastFailure, failure }: DeliveryFact): readonly ClusterEvent[] {
  const event = (rest: Pick<ClusterEvent, 'id' | 'at' | 'kind' | 'text'>): ClusterEvent => ({ ...rest, vmid: null, nodes: [], workflowId: run.workflowId });
  const id = `${run.workflowId}.${run.runId}`;
  if (run.endedAt === null) {
    if (lastFailure === null) return [];
    const text = `Hook ${hook} has not taken event ${eventId} yet, it is tried again: ${lastFailure}`;
    return [event({ id: `${id}.retrying`, at: run.startedAt, kind: 'hook-retrying', text })];
  }
  if (run.state === 'completed') return [];
  const text = `Hook ${hook} was not told of event ${eventId}: ${failure?.message ?? 'its delivery was ended by force'}`;
  return [event({ id: `${id}.failed`, at: run.endedAt, kind: 'hook-failed', text })];
}
