import { setTimeout as sleep } from 'node:timers/promises';
import { KedgeError } from '../domain/kedge-error.js';

export interface RetryConnectOptions {
  /** Address of the Temporal server, for messages. */
  readonly address: string;
  /** Gives up after so long, in milliseconds; `Infinity` for workers, which outwait the server's restart. */
  readonly giveUpAfterMs: number;
  readonly signal?: AbortSignal;
  /** Told of every failed try. */
  readonly onRetry?: (error: unknown, pauseMs: number) => void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Repeats the first connection, which the SDK doesn't. @throws KedgeError `server-unreachable` when the time is up or `signal` aborts. */
export async function retryConnect<Result>(connect: () => Promise<Result>, options: RetryConnectOptions): Promise<Result> {
  const giveUpAt = performance.now() + options.giveUpAfterMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await connect();
    } catch (error) {
      if (options.signal?.aborted === true || performance.now() + pauseMs > giveUpAt) {
        throw new KedgeError('server-unreachable', `Cannot connect to the Temporal server at ${options.address}`, { cause: error });
      }
      options.onRetry?.(error, pauseMs);
      // Woken early by `signal`, which the next failed try then sees.
      await sleep(pauseMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => undefined);
    }
  }
}
