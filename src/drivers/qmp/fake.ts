/** A QMP server for tests: speaks the real protocol over a real socket, one client at a time as QEMU does, with faults on demand. */
import { createServer, type Server, type Socket } from 'node:net';
import { LineSplitter } from './line-splitter.js';

/** A command that reached the fake. In mode `step` the test answers it. */
export interface FakeRequest {
  readonly command: string;
  readonly args: unknown;
  readonly outOfBand: boolean;
  answer(value?: unknown): void;
  refuse(error?: { readonly class: string; readonly desc: string }): void;
  /** An error without id, as QEMU answers a line that it can't parse. */
  refuseWithoutId(): void;
  /** Ends the connection without an answer. */
  drop(): void;
}

export interface FakeQmpOptions {
  readonly socketPath: string;
  /** `auto` answers every command by `answers` (default `{}`); `step` leaves every command but the negotiation to the test. */
  readonly mode: 'auto' | 'step';
  readonly answers?: Readonly<Record<string, (args: unknown) => unknown>>;
  /** `silent`: accepts and says nothing, as while another client is attached; `hang-up`: closes at once. */
  readonly greeting?: 'normal' | 'silent' | 'hang-up';
}

export interface FakeQmp {
  /** All commands so far, without the negotiation. */
  readonly requests: readonly FakeRequest[];
  /** The next command that no one has taken yet. */
  nextRequest(): Promise<FakeRequest>;
  /** Sends an event to the client. */
  emit(name: string, data?: Readonly<Record<string, unknown>>): void;
  /** Sends raw bytes to the client. */
  sendRaw(bytes: string | Buffer): void;
  /** Ends the connection as a dying QEMU does. */
  hangUp(): void;
  close(): Promise<void>;
}

/** Starts the fake on a unix socket. */
export async function startFakeQmp(options: FakeQmpOptions): Promise<FakeQmp> {
  const fake = new FakeQmpServer(options);
  await fake.listen();
  return fake;
}

class FakeQmpServer implements FakeQmp {
  readonly requests: FakeRequest[] = [];
  readonly #options: FakeQmpOptions;
  readonly #server: Server;
  readonly #untaken: FakeRequest[] = [];
  readonly #takers: ((request: FakeRequest) => void)[] = [];
  readonly #sockets = new Set<Socket>();
  #client: Socket | undefined;

  constructor(options: FakeQmpOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.socketPath, resolve);
    });
  }

  nextRequest(): Promise<FakeRequest> {
    const waiting = this.#untaken.shift();
    if (waiting !== undefined) return Promise.resolve(waiting);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  emit(name: string, data?: Readonly<Record<string, unknown>>): void {
    const now = Date.now();
    const timestamp = { seconds: Math.floor(now / 1_000), microseconds: (now % 1_000) * 1_000 };
    this.#send({ timestamp, event: name, ...(data === undefined ? {} : { data }) });
  }

  sendRaw(bytes: string | Buffer): void {
    this.#client?.write(bytes);
  }

  hangUp(): void {
    this.#client?.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#client === socket) this.#client = undefined;
    });
    if (this.#options.greeting === 'hang-up') socket.destroy();
    // A second client's connect succeeds, but nobody talks to it.
    else if (this.#options.greeting !== 'silent' && this.#client === undefined) this.#serve(socket);
  }

  #serve(socket: Socket): void {
    this.#client = socket;
    const splitter = new LineSplitter(1_048_576);
    socket.on('data', (chunk: Buffer) => {
      for (const line of splitter.push(chunk)) this.#receive(line);
    });
    this.#send({ QMP: { version: { qemu: { micro: 22, minor: 2, major: 7 }, package: 'fake' }, capabilities: ['oob'] } });
  }

  #receive(line: string): void {
    const message: unknown = JSON.parse(line);
    const command = fieldOf(message, 'execute') ?? fieldOf(message, 'exec-oob');
    const id = fieldOf(message, 'id');
    const args = fieldOf(message, 'arguments');
    if (command === 'qmp_capabilities') return this.#send({ return: {}, id });
    const request: FakeRequest = {
      command: String(command),
      args,
      outOfBand: fieldOf(message, 'exec-oob') !== undefined,
      answer: (value = {}) => this.#send({ return: value, id }),
      refuse: (error = { class: 'GenericError', desc: 'refused by the fake' }) => this.#send({ error, id }),
      refuseWithoutId: () => this.#send({ error: { class: 'GenericError', desc: 'JSON parse error' } }),
      drop: () => this.hangUp(),
    };
    this.requests.push(request);
    if (this.#options.mode === 'auto') return request.answer(this.#options.answers?.[request.command]?.(args) ?? {});
    const taker = this.#takers.shift();
    if (taker === undefined) this.#untaken.push(request);
    else taker(request);
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    this.sendRaw(`${JSON.stringify(message)}\r\n`);
  }
}

function fieldOf(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? Object.entries(message).find(([key]) => key === name)?.[1] : undefined;
}
