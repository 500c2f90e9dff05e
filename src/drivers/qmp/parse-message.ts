import { z } from 'zod';

/** One line of QEMU, sorted out. */
export type QmpMessage =
  | { readonly kind: 'greeting'; readonly capabilities: readonly string[] }
  | { readonly kind: 'return'; readonly id: unknown; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: unknown; readonly errorClass: string; readonly desc: string }
  | { readonly kind: 'event'; readonly name: string; readonly data: Record<string, unknown>; readonly timestampMs: number }
  | { readonly kind: 'unknown' };

/**
 * Parses one line of a QMP server. Unknown keys are ignored, as the protocol demands.
 * Integers that a double cannot hold come as bigint.
 * @throws SyntaxError when the line is no JSON
 */
export function parseMessage(line: string): QmpMessage {
  const json = parseJson(line);
  const event = EVENT.safeParse(json);
  if (event.success) {
    const { seconds, microseconds } = event.data.timestamp;
    return { kind: 'event', name: event.data.event, data: event.data.data ?? {}, timestampMs: seconds * 1_000 + microseconds / 1_000 };
  }
  const answer = RETURN.safeParse(json);
  if (answer.success) return { kind: 'return', id: answer.data.id, value: answer.data.return };
  const error = ERROR.safeParse(json);
  if (error.success) return { kind: 'error', id: error.data.id, errorClass: error.data.error.class, desc: error.data.error.desc };
  const greeting = GREETING.safeParse(json);
  if (greeting.success) return { kind: 'greeting', capabilities: greeting.data.QMP.capabilities };
  return { kind: 'unknown' };
}

const EVENT = z.object({
  event: z.string(),
  data: z.record(z.string(), z.unknown()).optional(),
  timestamp: z.object({ seconds: z.number(), microseconds: z.number() }),
});
// A plain z.unknown() would also accept an object without the key.
const PRESENT = z.custom((value) => value !== undefined);
const RETURN = z.object({ return: PRESENT, id: z.unknown().optional() });
const ERROR = z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.unknown().optional() });
const GREETING = z.object({ QMP: z.object({ capabilities: z.array(z.string()) }) });

/** Strings and whole numbers, so that digits inside a string or behind a decimal point are left alone. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;
/** No JSON text of QEMU holds this: its strings are printable ASCII. */
const BIG_MARK = '\u0001big:';

function parseJson(line: string): unknown {
  if (!/\d{16}/.test(line)) return JSON.parse(line);
  const marked = line.replace(STRING_OR_NUMBER, (token) =>
    LONG_INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? JSON.stringify(BIG_MARK + token) : token,
  );
  return JSON.parse(marked, (_key, value: unknown) => (typeof value === 'string' && value.startsWith(BIG_MARK) ? BigInt(value.slice(BIG_MARK.length)) : value));
}
