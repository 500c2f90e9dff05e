import type { DestinationStream } from 'pino';

/** Fields that a person at a terminal does not need on every line. */
const HIDDEN: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'msg']);

/**
 * Turns log lines into `12:01:02.123 INFO  message key=value` for a person at a terminal. Machines get NDJSON:
 * the caller asks whether its output is a TTY.
 */
export function prettyLog(write: (text: string) => void): DestinationStream {
  return { write: (line) => write(prettyLine(line)) };
}

function prettyLine(line: string): string {
  const fields: unknown = JSON.parse(line);
  if (typeof fields !== 'object' || fields === null) return line;
  const values = new Map<string, unknown>(Object.entries(fields));
  const rest = [...values].filter(([key]) => !HIDDEN.has(key)).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const msg = values.get('msg');
  const message = typeof msg === 'string' ? msg : '';
  const level = String(values.get('level')).toUpperCase().padEnd(5);
  return `${String(values.get('time')).slice(11, 23)} ${level} ${message}${rest.join('')}\n`;
}
