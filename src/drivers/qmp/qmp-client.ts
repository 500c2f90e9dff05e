/**
 * The QMP client: one connected, negotiated monitor socket.
 *
 *   execute ──► queue ──► in flight (one) ──► socket ──► QEMU's main loop
 *   executeOutOfBand ─────────────────────────► socket ──► QEMU's monitor thread
 *   QEMU ──► lines ──► answers by id ──► the pending command
 *                  └─► events ──► EventLog
 *
 * A timed-out command may have run, so the connection is dropped with it: whoever reconnects reads the state first.
 * Protocol: QEMU docs/interop/qmp-spec.
 */
import type { Socket } from 'node:net';
import { KedgeError } from '../../domain/kedge-error.js';
import { EventLog } from './event-log.js';
import { LineSplitter } from './line-splitter.js';
import { parseMessage, type QmpMessage } from './parse-message.js';
import type { ExecuteOptions, QmpConnection, QmpEvent, WaitForEventOptions } from './qmp-connection.js';
import { commandTimeoutMs } from './timeouts.js';

/** The largest known answer, `query-qmp-schema`, has 186 KB in QEMU 7.2. */
const LINE_LIMIT_BYTES = 16 * 1024 * 1024;

interface Pending {
  readonly id: string;
  readonly command: string;
  readonly band: 'in-band' | 'out-of-band';
  readonly line: string;
  readonly timeoutMs: number;
  sent: boolean;
  timer?: NodeJS.Timeout;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: KedgeError) => void;
}

export class QmpClient implements QmpConnection {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #events = new EventLog();
  readonly #splitter = new LineSplitter(LINE_LIMIT_BYTES);
  readonly #pending = new Map<string, Pending>();
  #queue: Pending[] = [];
  #inFlight: Pending | undefined;
  #nextId = 1;
  #isClosed = false;
  #onGreeting: ((capabilities: readonly string[]) => void) | undefined;
  #onClosed: () => void = () => undefined;
  #writable: Promise<void> = Promise.resolve();

  /** Takes over a connected socket; `onGreeting` is called with QEMU's capabilities once it greets. */
  constructor(socket: Socket, onGreeting: (capabilities: readonly string[]) => void) {
    this.#socket = socket;
    this.#onGreeting = onGreeting;
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end('peer', error));
    socket.on('close', () => this.#end('peer'));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get lastSequence(): number {
    return this.#events.lastSequence;
  }

  execute(command: string, args?: Readonly<Record<string, unknown>>, options: ExecuteOptions = {}): Promise<unknown> {
    return this.#submit({ command, band: 'in-band', args, options });
  }

  executeOutOfBand(command: string, args?: Readonly<Record<string, unknown>>, options: ExecuteOptions = {}): Promise<unknown> {
    return this.#submit({ command, band: 'out-of-band', args, options });
  }

  eventsSince(sequence: number): readonly QmpEvent[] {
    return this.#events.since(sequence);
  }

  waitForEvent(match: (event: QmpEvent) => boolean, options: WaitForEventOptions): Promise<QmpEvent> {
    return this.#events.waitFor(match, options);
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  close(): void {
    this.#end('us');
  }

  #submit(request: { command: string; band: Pending['band']; args: Readonly<Record<string, unknown>> | undefined; options: ExecuteOptions }): Promise<unknown> {
    const { command, band, args, options } = request;
    const id = `k${this.#nextId++}`;
    const line = `${JSON.stringify({ [band === 'in-band' ? 'execute' : 'exec-oob']: command, ...(args === undefined ? {} : { arguments: args }), id })}\n`;
    const { signal } = options;
    return new Promise<unknown>((resolve, reject) => {
      if (this.#isClosed) return reject(disconnected(command, false));
      if (signal?.aborted === true) return reject(givenUp(command, false));
      const onAbort = (): void => this.#abort(pending);
      const settled = (): void => {
        clearTimeout(pending.timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const pending: Pending = {
        id,
        command,
        band,
        line,
        timeoutMs: options.timeoutMs ?? commandTimeoutMs(command, band),
        sent: false,
        resolve: (value) => {
          settled();
          resolve(value);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      if (band === 'out-of-band') return this.#send(pending);
      this.#queue.push(pending);
      this.#sendNext();
    });
  }

  #sendNext(): void {
    if (this.#inFlight !== undefined || this.#isClosed) return;
    this.#inFlight = this.#queue.shift();
    if (this.#inFlight !== undefined) this.#send(this.#inFlight);
  }

  #send(pending: Pending): void {
    this.#pending.set(pending.id, pending);
    pending.sent = true;
    pending.timer = setTimeout(() => this.#timeOut(pending), pending.timeoutMs);
    // Each line waits until the socket has taken the one before: a peer that doesn't read fills no memory here.
    this.#writable = this.#writable.then(() => this.#write(pending.line));
  }

  async #write(line: string): Promise<void> {
    if (this.#isClosed || this.#socket.write(line)) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve);
      this.#socket.once('close', () => resolve());
    });
  }

  #timeOut(pending: Pending): void {
    const { command, timeoutMs } = pending;
    this.#forget(pending);
    pending.reject(
      new KedgeError('qmp-timeout', `Cannot run "${command}" in QEMU: no answer in ${timeoutMs} ms, it may have run`, { details: { command, sent: true } }),
    );
    this.#end('us');
  }

  #abort(pending: Pending): void {
    const { sent } = pending;
    this.#forget(pending);
    pending.reject(givenUp(pending.command, sent));
    if (sent) this.#end('us');
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending.id);
    this.#queue = this.#queue.filter((other) => other !== pending);
    if (this.#inFlight === pending) this.#inFlight = undefined;
  }

  #receive(chunk: Buffer): void {
    try {
      for (const line of this.#splitter.push(chunk)) this.#handle(parseMessage(line));
    } catch (error) {
      this.#end('us', error);
    }
  }

  #handle(message: QmpMessage): void {
    switch (message.kind) {
      case 'greeting':
        this.#onGreeting?.(message.capabilities);
        this.#onGreeting = undefined;
        return;
      case 'event':
        return this.#events.append({ name: message.name, data: message.data, timestampMs: message.timestampMs });
      case 'return':
        return this.#settle(this.#pendingOf(message.id), (pending) => pending.resolve(message.value));
      case 'error':
        return this.#settle(this.#pendingOf(message.id), (pending) => pending.reject(refused(pending.command, message)));
      case 'unknown':
        return;
    }
  }

  /** An error without id answers a line that QEMU could not read: with one command out it is that one's, else nobody's. */
  #pendingOf(id: unknown): Pending | undefined {
    if (typeof id === 'string') return this.#pending.get(id);
    return id === undefined && this.#pending.size === 1 ? [...this.#pending.values()][0] : undefined;
  }

  #settle(pending: Pending | undefined, then: (pending: Pending) => void): void {
    if (pending === undefined) return;
    this.#forget(pending);
    then(pending);
    this.#sendNext();
  }

  #end(by: 'us' | 'peer', cause?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    for (const pending of [...this.#pending.values(), ...this.#queue]) {
      // QEMU closes the socket while it ends: EOF is the answer to `quit`.
      if (pending.command === 'quit' && pending.sent && by === 'peer') pending.resolve({});
      else pending.reject(disconnected(pending.command, pending.sent, cause));
    }
    this.#pending.clear();
    this.#queue = [];
    this.#inFlight = undefined;
    this.#events.end(new KedgeError('qmp-disconnected', 'Cannot wait for an event of QEMU: the connection has ended', { cause }));
    this.#onClosed();
  }
}

function disconnected(command: string, sent: boolean, cause?: unknown): KedgeError {
  const outcome = sent ? 'the connection ended before the answer, it may have run' : 'the connection has ended, it did not run';
  return new KedgeError('qmp-disconnected', `Cannot run "${command}" in QEMU: ${outcome}`, { cause, details: { command, sent } });
}

function givenUp(command: string, sent: boolean): KedgeError {
  const outcome = sent ? 'the caller gave up, it may have run' : 'the caller gave up, it did not run';
  return new KedgeError('cancelled', `Cannot run "${command}" in QEMU: ${outcome}`, { details: { command, sent } });
}

function refused(command: string, error: { errorClass: string; desc: string }): KedgeError {
  return new KedgeError('qmp-error', `Cannot run "${command}" in QEMU: ${error.desc}`, {
    details: { class: error.errorClass, desc: error.desc, command },
  });
}
