import type { NodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { explain, parseJson } from './parse-request.js';
import type { CallOptions } from './peer-channel.js';
import { type ErrorBody, LINE_LIMIT_BYTES, PEER_ANSWERS, type PeerOperation, type PeerOperations, answerLineSchema } from './protocol.js';

interface PendingCall {
  readonly op: PeerOperation;
  /** Settles the call with the `ok` of its answer. */
  readonly answer: (value: unknown) => void;
  readonly fail: (error: KedgeError) => void;
}

/** The calls under way on one channel: gives them ids, matches the answers, and ends each exactly once. Knows no transport. */
export class CallTable {
  readonly #node: NodeName;
  readonly #send: (line: string) => void;
  readonly #pending = new Map<number, PendingCall>();
  #lastId = 0;
  #broken: KedgeError | undefined;

  constructor(node: NodeName, send: (line: string) => void) {
    this.#node = node;
    this.#send = send;
  }

  /** Sends a request and waits for its answer; errors as {@link PeerChannel.call} tells. */
  call<Op extends PeerOperation>(op: Op, args: PeerOperations[Op]['args'], options: CallOptions): Promise<PeerOperations[Op]['answer']> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) throw this.#notSent(op, this.#broken);
      if (options.signal?.aborted === true) throw this.#cancelled(op, false);
      const id = ++this.#lastId;
      const line = `${JSON.stringify({ id, op, deadlineMs: options.timeoutMs, args })}\n`;
      if (Buffer.byteLength(line) > LINE_LIMIT_BYTES) {
        throw new KedgeError('bad-input', `Cannot ask node ${this.#node} to ${op}: the request is longer than ${LINE_LIMIT_BYTES} bytes`);
      }
      const end = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
      };
      const fail = (error: KedgeError): void => {
        end();
        reject(error);
      };
      const onAbort = (): void => fail(this.#cancelled(op, true));
      const timer = setTimeout(() => fail(this.#unanswered(op, `no answer within ${options.timeoutMs} ms`)), options.timeoutMs);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      const answer = (value: unknown): void => {
        const parsed = PEER_ANSWERS[op].safeParse(value);
        if (!parsed.success) return fail(this.#unanswered(op, `its answer does not fit the protocol (${explain(parsed.error)})`));
        end();
        resolve(parsed.data);
      };
      this.#pending.set(id, { op, answer, fail });
      this.#send(line);
    });
  }

  /**
   * Takes one line of the peer. Answers to calls that were given up are dropped.
   * @throws KedgeError when the line ends the channel: no answer at all, or an error for the whole connection
   */
  take(line: string): void {
    const parsed = answerLineSchema.safeParse(parseJson(line));
    if (!parsed.success) throw new KedgeError('peer-unreachable', `Cannot understand node ${this.#node}: ${explain(parsed.error)}`);
    const message = parsed.data;
    if ('ok' in message) return this.#pending.get(message.id)?.answer(message.ok);
    if (message.id === null) throw this.#channelError(message.error);
    const call = this.#pending.get(message.id);
    call?.fail(this.#refused(call.op, message.error));
  }

  /** Ends every call under way, and refuses later ones. */
  breakOff(error: KedgeError): void {
    this.#broken ??= error;
    for (const call of [...this.#pending.values()]) {
      call.fail(new KedgeError(error.code, error.message, { cause: error, details: { ...error.details, op: call.op, mayHaveRun: true } }));
    }
  }

  #refused(op: PeerOperation, body: ErrorBody): KedgeError {
    // The peer gave up waiting for its own work: as with a timeout on this side, nobody knows how far it came.
    if (body.code === 'deadline-exceeded') return this.#unanswered(op, body.message);
    const details = { ...body.details, code: body.code, op, node: this.#node };
    return new KedgeError('peer-refused', `Cannot ${op} on node ${this.#node}: ${body.message}`, { details });
  }

  #channelError(body: ErrorBody): KedgeError {
    const code = body.code === 'peer-unreachable' ? 'peer-unreachable' : 'peer-refused';
    return new KedgeError(code, `Cannot talk to node ${this.#node}: ${body.message}`, { details: { ...body.details, code: body.code, node: this.#node } });
  }

  #unanswered(op: PeerOperation, reason: string): KedgeError {
    return new KedgeError('peer-unreachable', `Cannot ${op} on node ${this.#node}: ${reason}`, { details: { op, node: this.#node, mayHaveRun: true } });
  }

  #notSent(op: PeerOperation, cause: KedgeError): KedgeError {
    const details = { ...cause.details, op, mayHaveRun: false };
    return new KedgeError(cause.code, `Cannot ${op} on node ${this.#node}: the channel is closed`, { cause, details });
  }

  #cancelled(op: PeerOperation, mayHaveRun: boolean): KedgeError {
    return new KedgeError('cancelled', `Cannot ${op} on node ${this.#node}: the caller gave up`, { details: { op, node: this.#node, mayHaveRun } });
  }
}
