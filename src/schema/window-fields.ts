/** Fields that maintenance windows and blackouts have in common, without the rule: its library is large, and most commands need none of it. */
import { z } from 'zod';
import { KedgeError } from '../domain/kedge-error.js';
import { parseDuration } from '../domain/parse-duration.js';

const SHORTEST_MS = 60_000;

export const spanField = z.string().transform((text, context) => {
  try {
    return parseDuration(text, 'span');
  } catch (error) {
    context.addIssue({ code: 'custom', message: 'must be a span like 90s, 10m or 1h30m' });
    if (error instanceof KedgeError) return z.NEVER;
    throw error;
  }
});

export const nameField = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'must be up to 40 small letters, digits and inner hyphens');
export const zoneField = z.string().refine(isZone, 'must be the IANA name of a time zone, like Europe/Berlin');
export const startField = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, 'must be a local time like 2026-12-01T22:00, without a zone');

/** A span that something lasts, from a minute on. */
export const lastingField = ({ longestDays, why }: { longestDays: number; why: string }) =>
  spanField.refine((ms) => ms >= SHORTEST_MS && ms <= longestDays * 86_400_000, `must be from 1m to ${longestDays}d${why}`);

/** Is it a time zone that this machine knows? */
export function isZone(zone: string): boolean {
  try {
    return /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
