import { z } from 'zod';
import { KedgeError } from '../domain/kedge-error.js';
import { parseDuration } from '../domain/parse-duration.js';

/** A span as people write it, in milliseconds. */
export const span = z.string().transform((text, context) => {
  try {
    return parseDuration(text, 'span');
  } catch (error) {
    context.addIssue({ code: 'custom', message: 'must be a span like 90s, 10m or 1h30m' });
    if (error instanceof KedgeError) return z.NEVER;
    throw error;
  }
});

/** The clock of some zone, by minutes. */
export const localTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, 'must be a local time like 2026-12-01T22:00, without a zone');

/** Is it the IANA name of a time zone? */
export function isZone(zone: string): boolean {
  try {
    return /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
