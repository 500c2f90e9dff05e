import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterEvent } from '../../domain/events/event.js';
import { eventsOfFact } from '../../domain/events/events-of-fact.js';
import { selectEvents, type EventFilter } from '../../domain/events/select-events.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { ClientContext } from '../kedge-client.js';
import { openEventReader } from './event-reader.js';

/**
 * Pause between two looks. Temporal pushes nothing about executions in general: its index can only be asked, and lags behind by up to a second. A look is
 * one listing, and one question for each migration, drain and recovery that runs; what has ended is read once. The quickest news that anybody waits for, a
 * node that falls silent, takes three heartbeats to become a fact at all, and a migration takes seconds: after 5 s it is news still, and a cluster with
 * twenty migrations under way answers four questions a second to each who follows, which no migration feels.
 */
export const LOOK_EVERY_MS = 5_000;

/** What a look brought. `isReached` false: the server gave no answer, it is asked again. */
export interface EventsLook {
  readonly events: readonly ClusterEvent[];
  readonly isReached: boolean;
}

/** What happened in the cluster, from what Temporal keeps (30 days). */
export interface EventVerbs {
  /** Newest last. */
  list(filter: EventFilter): Promise<readonly ClusterEvent[]>;
  /** The same, and then what comes, each event once; until `signal`, or until the caller has enough. Outlives the server's restarts. */
  follow(filter: EventFilter, options: { readonly signal: AbortSignal; readonly everyMs?: number }): AsyncGenerator<EventsLook, void>;
}

/** The verbs over one connected client. */
export function eventVerbs(context: ClientContext): EventVerbs {
  return {
    list: async (filter) => selectEvents((await openEventReader(context, filter).look()).flatMap(eventsOfFact), filter),
    follow: (filter, options) => follow(context, filter, options),
  };
}

async function* follow(
  context: ClientContext,
  { limit, ...filter }: EventFilter,
  { signal, everyMs = LOOK_EVERY_MS }: { signal: AbortSignal; everyMs?: number },
): AsyncGenerator<EventsLook, void> {
  const reader = openEventReader(context, filter);
  const told = new Map<string, ClusterEvent>();
  let isFirst = true;
  while (!signal.aborted) {
    try {
      const facts = await reader.look();
      const fresh = selectEvents(facts.flatMap(eventsOfFact), filter).filter(({ id }) => !told.has(id));
      for (const event of fresh) told.set(event.id, event);
      // An event comes again only as long as its workflow is looked at: no more has to be remembered, however long this runs. A workflow that does not
      // answer once is still looked at.
      const seen = new Set(facts.map(({ run }) => run.workflowId));
      for (const [id, { workflowId }] of told) if (!seen.has(workflowId)) told.delete(id);
      yield { events: isFirst && limit !== undefined ? fresh.slice(Math.max(0, fresh.length - limit)) : fresh, isReached: true };
      isFirst = false;
    } catch (error) {
      if (!(error instanceof KedgeError) || error.code !== 'server-unreachable' || isFirst) throw error;
      yield { events: [], isReached: false };
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
