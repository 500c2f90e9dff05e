import { connect } from 'node:net';
import { z } from 'zod';
import { KedgeError } from '../../src/domain/kedge-error.js';

/** A question to the observer; `ask` is relayed to the guest. */
export type ObserverRequest =
  | { readonly op: 'list' }
  | { readonly op: 'report' | 'reset' | 'forget'; readonly vmid: number }
  | { readonly op: 'mark'; readonly vmid: number; readonly label: string }
  | { readonly op: 'ask'; readonly vmid: number; readonly command: string; readonly timeoutMs?: number };

const answerSchema = z.discriminatedUnion('ok', [
  z.looseObject({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), error: z.string(), message: z.string() }),
]);

/**
 * Asks the lab's observer one question over its unix socket and returns its answer, still unparsed.
 * @throws KedgeError `not-found` for a guest that never ticked, `lab-failed` for everything else, with the observer's own code in details
 */
export async function askObserver(socketPath: string, request: ObserverRequest, options: { timeoutMs?: number } = {}): Promise<unknown> {
  const line = await exchange(socketPath, { text: `${JSON.stringify(request)}\n`, timeoutMs: options.timeoutMs ?? 10_000 });
  const answer = answerSchema.safeParse(parseJson(line));
  if (!answer.success) throw new KedgeError('lab-failed', `Cannot read the answer of the observer: current value is "${line.slice(0, 200)}"`);
  if (answer.data.ok) return answer.data;
  const { error, message } = answer.data;
  throw new KedgeError(error === 'not-found' ? 'not-found' : 'lab-failed', `Cannot ${request.op} at the observer: ${message}`, {
    details: { error, ...('vmid' in request ? { vmid: request.vmid } : {}) },
  });
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function exchange(socketPath: string, { text, timeoutMs }: { text: string; timeoutMs: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const failed = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(new KedgeError('lab-failed', `Cannot ask the observer at ${socketPath}: ${why}`, cause === undefined ? {} : { cause }));
    };
    const timer = setTimeout(() => failed(`no answer within ${timeoutMs} ms`), timeoutMs);
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      received += part;
      const end = received.indexOf('\n');
      if (end < 0) return;
      socket.destroy();
      resolve(received.slice(0, end));
    });
    socket.on('error', (error) => failed('the connection failed', error));
    socket.on('close', () => {
      clearTimeout(timer);
      failed('it closed the connection');
    });
    socket.write(text);
  });
}
