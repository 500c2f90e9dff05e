import type { EventFilter } from '../domain/events/select-events.js';
import type { CliContext } from './cli-context.js';
import type { Cluster } from './cluster.js';
import { EXIT_CODES } from './exit-codes.js';
import { eventLine } from './render/event-line.js';

/** Shows events as they come until Ctrl-C; the exit code is then 130. A server that is away is waited for: what happens meanwhile is told afterwards. */
export async function followEvents(
  context: CliContext,
  cluster: Pick<Cluster, 'events'>,
  { filter, json }: { readonly filter: EventFilter; readonly json: boolean },
): Promise<void> {
  const letGo = new AbortController();
  const stopListening = context.onInterrupt(() => letGo.abort());
  let wasReached = true;
  try {
    for await (const { events, isReached } of cluster.events.follow(filter, { signal: letGo.signal })) {
      if (isReached !== wasReached) context.err(isReached ? 'The Temporal server answers again\n' : 'The Temporal server gives no answer, trying again\n');
      wasReached = isReached;
      for (const event of events) context.out(json ? `${JSON.stringify(event)}\n` : eventLine(event));
    }
    context.setExitCode(EXIT_CODES.interrupted);
  } finally {
    stopListening();
  }
}
