import type { Socket } from 'node:net';
import type { NodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { LineSplitter } from '../qmp/line-splitter.js';
import { explain, parseJson, parseRequest } from './parse-request.js';
import { type ErrorBody, LINE_LIMIT_BYTES, PEER_ANSWERS, type PeerRequest, introductionSchema } from './protocol.js';
import type { PeerHandler } from './serve-peers.js';

/** Requests of one connection that may be under way at once; a sane caller has a handful. */
const CONCURRENT_LIMIT = 256;

/** One connection of a relay: reads the introduction, then requests, and answers each at most once. */
export class PeerSession {
  readonly #socket: Socket;
  readonly #handle: PeerHandler;
  readonly #lines = new LineSplitter(LINE_LIMIT_BYTES);
  readonly #underWay = new Set<AbortController>();
  #from: NodeName | undefined;

  constructor(socket: Socket, handle: PeerHandler) {
    this.#socket = socket;
    this.#handle = handle;
  }

  /** Works on its own until the connection ends; never throws. */
  run(): void {
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A relay that dies resets the connection: 'close' follows and does all there is to do.
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => {
      for (const work of this.#underWay) work.abort();
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#socket.writableEnded) return;
    try {
      for (const line of this.#lines.push(chunk)) this.#take(line);
    } catch (error) {
      // What follows a broken line can't be trusted to start at a line's start.
      this.#socket.end(errorLine(null, error instanceof RangeError ? new KedgeError('bad-input', `Cannot read request: ${error.message}`) : error));
    }
  }

  #take(line: string): void {
    if (this.#from === undefined) {
      const introduction = introductionSchema.safeParse(parseJson(line));
      if (!introduction.success) throw new KedgeError('bad-input', `Cannot read introduction: ${explain(introduction.error)}`);
      this.#from = introduction.data.peer;
      return;
    }
    const { id, deadlineMs, body } = parseRequest(line);
    if (body instanceof KedgeError) return this.#send(errorLine(id, body));
    if (this.#underWay.size >= CONCURRENT_LIMIT) {
      return this.#send(errorLine(id, new KedgeError('peer-unreachable', `Cannot ${body.op}: ${CONCURRENT_LIMIT} requests are under way`)));
    }
    void this.#answer(this.#from, { id, deadlineMs, request: body });
  }

  async #answer(from: NodeName, { id, deadlineMs, request }: { id: number; deadlineMs: number; request: PeerRequest }): Promise<void> {
    const work = new AbortController();
    this.#underWay.add(work);
    const timer = setTimeout(() => {
      this.#send(errorLine(id, new KedgeError('deadline-exceeded', `${request.op} took longer than ${deadlineMs} ms`)));
      work.abort();
    }, deadlineMs);
    let line: string;
    try {
      const answer = await this.#handle(from, request, { signal: work.signal });
      line = `${JSON.stringify({ id, ok: PEER_ANSWERS[request.op].parse(answer) })}\n`;
    } catch (error) {
      line = errorLine(id, error);
    }
    clearTimeout(timer);
    this.#underWay.delete(work);
    if (!work.signal.aborted) this.#send(line);
  }

  #send(line: string): void {
    if (this.#socket.writable) this.#socket.write(line);
  }
}

function errorLine(id: number | null, error: unknown): string {
  const body: ErrorBody =
    error instanceof KedgeError
      ? { code: error.code, message: error.message, details: error.details }
      : { code: 'internal', message: error instanceof Error ? error.message : String(error), details: {} };
  try {
    return `${JSON.stringify({ id, error: body })}\n`;
  } catch {
    // Details that JSON can't hold (a cycle, a bigint) must not cost the answer.
    return `${JSON.stringify({ id, error: { ...body, details: {} } })}\n`;
  }
}
