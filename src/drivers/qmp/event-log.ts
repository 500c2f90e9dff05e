import { KedgeError } from '../../domain/kedge-error.js';
import type { QmpEvent, WaitForEventOptions } from './qmp-connection.js';

/** Events that are kept; a migration of an hour sends fewer. */
const KEPT_EVENTS = 1_000;

/**
 * The newest events of one connection, numbered, and those who wait for the next.
 * A waiter names the number that it has seen, so that an event between a command and the wait is never missed.
 */
export class EventLog {
  readonly #events: QmpEvent[] = [];
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #failers = new Set<(reason: KedgeError) => void>();
  #lastSequence = 0;
  #ended: KedgeError | undefined;

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Numbers and keeps an event, then tells everybody who listens. */
  append(event: Omit<QmpEvent, 'sequence'>): void {
    this.#lastSequence += 1;
    const numbered: QmpEvent = { sequence: this.#lastSequence, ...event };
    this.#events.push(numbered);
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    for (const listener of [...this.#listeners]) listener(numbered);
  }

  since(sequence: number): readonly QmpEvent[] {
    return this.#events.filter((event) => event.sequence > sequence);
  }

  listen(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** No event will come any more: fails everybody who waits with `reason`. */
  end(reason: KedgeError): void {
    this.#ended = reason;
    for (const fail of [...this.#failers]) fail(reason);
  }

  async waitFor(match: (event: QmpEvent) => boolean, options: WaitForEventOptions): Promise<QmpEvent> {
    const seen = this.since(options.after).find(match);
    if (seen !== undefined) return seen;
    if (this.#ended !== undefined) throw this.#ended;
    const { signal } = options;
    if (signal?.aborted === true) throw aborted();
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#failers.delete(fail);
        unlisten();
        then();
      };
      const fail = (reason: KedgeError): void => settle(() => reject(reason));
      const onAbort = (): void => fail(aborted());
      const unlisten = this.listen((event) => {
        if (event.sequence > options.after && match(event)) settle(() => resolve(event));
      });
      const timer = setTimeout(
        () => fail(new KedgeError('qmp-timeout', `Cannot see the awaited event of QEMU: none came in ${options.timeoutMs} ms`)),
        options.timeoutMs,
      );
      this.#failers.add(fail);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function aborted(): KedgeError {
  return new KedgeError('cancelled', 'Cannot go on waiting for an event of QEMU: the caller gave up');
}
