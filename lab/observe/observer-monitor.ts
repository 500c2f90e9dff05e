import { connect, type Socket } from 'node:net';
import { isRecord } from '../../src/domain/is-record.js';

/** A time in which one QEMU's vCPUs ran; milliseconds since the epoch by QEMU's own clock. `toMs` is null while they run. */
export interface RunningSpan {
  readonly fromMs: number;
  readonly toMs: number | null;
}

/**
 * Watches one QEMU over its observer socket, with a QMP client of its own: a judge that used the product's would believe its bugs.
 *
 * The spans come from the events RESUME and STOP, whose timestamps are exact, and are corrected by every polled `query-status`.
 */
export class ObserverMonitor {
  readonly #socket: Socket;
  readonly #spans: { fromMs: number; toMs: number | null }[] = [];
  #rest = '';
  #isReady = false;
  #isClosed = false;
  #asked: { readonly atMs: number; isOvertaken: boolean } | null = null;
  readonly #migrationStatuses: string[] = [];

  /** Begins at once; `isClosed` turns true when nobody listens there or QEMU is gone. */
  constructor(socketPath: string) {
    this.#socket = connect(socketPath);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#stopped(Date.now());
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Has QEMU greeted us? */
  get isReady(): boolean {
    return this.#isReady;
  }

  get isRunning(): boolean {
    return this.#spans.at(-1)?.toMs === null;
  }

  get spans(): readonly RunningSpan[] {
    return this.#spans;
  }

  /** Statuses of all MIGRATION events so far: a stream that was started anew shows `setup` twice. */
  get migrationStatuses(): readonly string[] {
    return this.#migrationStatuses;
  }

  /** Asks for the state; one question at a time, since a busy QEMU answers late. */
  poll(): void {
    if (!this.#isReady || this.#isClosed || this.#asked !== null) return;
    this.#asked = { atMs: Date.now(), isOvertaken: false };
    this.#send({ execute: 'query-status', id: 'poll' });
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      if (isRecord(message)) this.#receive(message);
    }
  }

  #receive(message: Readonly<Record<string, unknown>>): void {
    if ('QMP' in message) {
      this.#send({ execute: 'qmp_capabilities' });
      this.#isReady = true;
      return;
    }
    if (message['event'] === 'RESUME') this.#told(() => this.#resumed(timeOf(message)));
    if (message['event'] === 'STOP') this.#told(() => this.#stopped(timeOf(message)));
    if (message['event'] === 'MIGRATION' && isRecord(message['data'])) this.#migrationStatuses.push(String(message['data']['status']));
    if (message['id'] === 'poll') this.#answered(message['return']);
  }

  #told(change: () => void): void {
    if (this.#asked !== null) this.#asked.isOvertaken = true;
    change();
  }

  /**
   * What was asked before tells the least that is sure. QEMU looks at its state in one turn of its main loop and answers in a later
   * one: an event of its migration thread may come between, so an answer that an event has overtaken says nothing.
   */
  #answered(answer: unknown): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked === null || asked.isOvertaken) return;
    const isRunning = isRecord(answer) && answer['running'] === true;
    if (isRunning && !this.isRunning) this.#resumed(asked.atMs);
    if (!isRunning && this.isRunning) this.#stopped(Date.now());
  }

  #resumed(atMs: number): void {
    if (!this.isRunning) this.#spans.push({ fromMs: atMs, toMs: null });
  }

  #stopped(atMs: number): void {
    const span = this.#spans.at(-1);
    if (span?.toMs === null) span.toMs = Math.max(atMs, span.fromMs);
  }
}

/** Time of an event in milliseconds, with fractions. */
function timeOf({ timestamp }: Readonly<Record<string, unknown>>): number {
  if (!isRecord(timestamp)) return Date.now();
  return Number(timestamp['seconds']) * 1_000 + Number(timestamp['microseconds']) / 1_000;
}
