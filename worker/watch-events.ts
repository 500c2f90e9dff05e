import { setTimeout as sleep } from 'node:timers/promises';
import { LOOK_EVERY_MS } from '../src/client/events/event-verbs.js';
import type { KedgeClient } from '../src/client/kedge-client.js';
import { type ClusterEvent, isOfSort } from '../src/domain/events/event.js';
import { deliveryWorkflowId } from '../src/domain/workflow-names.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import type { ClusterHooks } from '../src/drivers/hook/tell-hook.js';
import type { Logger } from '../src/log/logger.js';

/** This only spares calls: what is forgotten Temporal still knows. */
const MOST_REMEMBERED = 100_000;
/** What happened earlier than so long before this worker began is not told any more. */
const CATCH_UP_MS = 24 * 3_600_000;

export interface WatchEventsOptions {
  /** Read anew at each look: a hook that is written needs no restart. */
  readonly hooks: () => Promise<ClusterHooks>;
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * Has hooks told of events. It keeps nothing: what was told is known by the ids of deliveries, which Temporal takes once, and since when a hook is to
 * be told by its mark. So every control worker may watch; one that dies between two lines, or begins after an outage, goes through the last day
 * again, and only what was not told yet is. Without hooks nothing is asked of the server. Answers how to stop.
 */
export function watchEvents(kedge: Pick<KedgeClient, 'events' | 'hooks'>, options: WatchEventsOptions): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const { everyMs = LOOK_EVERY_MS, log } = options;
  void (async () => {
    const told = new Set<string>();
    while (!signal.aborted) {
      await follow(kedge, { ...options, signal, told }).catch((error: unknown) => log.warn({ error }, 'hooks could not be told of events, trying again'));
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  })();
  return () => ending.abort();
}

/** Ends when there is no hook any more; what fails in between is done again from the start, by the caller. */
async function follow(
  kedge: Pick<KedgeClient, 'events' | 'hooks'>,
  { hooks, signal, told, everyMs = LOOK_EVERY_MS }: WatchEventsOptions & { readonly signal: AbortSignal; readonly told: Set<string> },
): Promise<void> {
  if (Object.keys((await hooks()).hooks).length === 0) return;
  const since = new Date(Date.now() - CATCH_UP_MS).toISOString();
  const marks = new Map<string, number>();
  for await (const { events } of kedge.events.follow({ since }, { signal, everyMs })) {
    const config = (await hooks()).hooks;
    if (Object.keys(config).length === 0) return;
    for (const [hook, { events: sorts }] of Object.entries(config)) {
      const mark = marks.get(hook) ?? Date.parse(await crashPoint('control.mark-hook', () => kedge.hooks.knownSince(hook)));
      marks.set(hook, mark);
      for (const event of events) if (isWanted(event, { sorts, mark })) await deliver(hook, event);
    }
  }

  async function deliver(hook: string, event: ClusterEvent): Promise<void> {
    const id = deliveryWorkflowId(hook, event.id);
    if (told.has(id)) return;
    await crashPoint('control.deliver-event', () => kedge.hooks.deliver({ hook, event }));
    if (told.size >= MOST_REMEMBERED) told.clear();
    told.add(id);
  }
}

function isWanted(event: ClusterEvent, { sorts, mark }: { sorts: readonly string[]; mark: number }): boolean {
  return Date.parse(event.at) >= mark && sorts.some((sort) => isOfSort(event, sort));
}
