import { type DestinationStream, type Logger, destination, pino } from 'pino';
import { prettyLog } from './pretty-log.js';
import { serializeError } from './serialize-error.js';

export type { Logger } from 'pino';

/** Keys whose values never reach a log, at the top and one or two levels below. */
const SECRETS = ['privateKey', 'password', 'passphrase', 'token', 'secret', 'authorization', 'cookie', 'ticket'];
const REDACTED_PATHS = SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

export interface LoggerOptions {
  readonly level?: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** Fields of every line, e.g. `{ role: 'node', node: 'node1' }`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** A file path or a stream; standard output when absent, for a person to read if that is a terminal. */
  readonly to?: string | DestinationStream;
}

/**
 * NDJSON, one line an event, written synchronously: the last lines before a kill -9 are the ones that are needed.
 * Times are ISO, errors (`err` or `error`) carry their code and whole cause chain, secrets are redacted by key.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid, ...options.fields },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    },
    openDestination(options.to),
  );
}

function openDestination(to: LoggerOptions['to']): DestinationStream {
  if (typeof to === 'object') return to;
  if (to === undefined && process.stdout.isTTY) return prettyLog((text) => process.stdout.write(text));
  return destination({ dest: to ?? 1, sync: true, mkdir: true });
}
