/** What the readers of workflows' inputs share: they read by hand, see resolve-migration-options.ts. */
import { KedgeError } from './kedge-error.js';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** RFC 3339 with a time zone, and a time that exists? */
export const isInstant = (text: string): boolean => INSTANT.test(text) && !Number.isNaN(Date.parse(text));

/** @throws KedgeError `bad-input` that names the first field that is not among `known`; `prefix`: where the fields are, e.g. `options.` */
export function refuseUnknownFields(value: Readonly<Record<string, unknown>>, { known, prefix }: { known: readonly string[]; prefix: string }): void {
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw badInput(`${prefix}${name}`, value[name], `absent: known fields are ${known.join(', ')}`);
  }
}

/** Names the field, its value and what it must be. */
export function badInput(field: string, value: unknown, must: string): KedgeError {
  return new KedgeError('bad-input', `Cannot read ${field}: current value is ${value === undefined ? 'absent' : JSON.stringify(value)}, must be ${must}`, {
    details: { field, value: value ?? null, remedy: `Give ${field} as ${must}` },
  });
}

/** Null: absent. @throws KedgeError `bad-input` */
export function readInstant(field: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || !isInstant(value)) throw badInput(field, value, 'an instant with a time zone like 2026-03-01T02:30:00Z');
  return value;
}
