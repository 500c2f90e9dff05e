/**
 * When a window opens. The rule is expanded in local time (RFC 5545): a time that the clocks skip in spring has no occurrence, one that they
 * show twice in autumn has one, the first. Never in a workflow: time-zone data differ between machines, and a replay has to see the same.
 */
import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import type { Occurrence, WindowDefinition } from '../domain/window/window.js';

type When = Pick<WindowDefinition, 'zone' | 'start' | 'rule'>;

const RULE = /^FREQ=(?:HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)(?:;[A-Z]+=[A-Z0-9,+:-]+)*$/;
/** Local times and dates alone are no instants, and those of UTC are what RFC 5545 asks for. */
const UNTIL_NOT_UTC = /;UNTIL=(?!\d{8}T\d{6}Z(?:;|$))/;
const EXAMPLE = 'must be an RRULE like FREQ=WEEKLY;BYDAY=TU or FREQ=MONTHLY;BYDAY=SU;BYSETPOS=1';

type Looked = When & Pick<WindowDefinition, 'durationMs'>;

/** The next occurrences that are not over at `from` (RFC 3339), without the skipped ones (their `opensAt`). */
export function nextOccurrences(
  window: Looked,
  { count, ...options }: { readonly from: string; readonly count: number; readonly skipped: readonly string[] },
): readonly Occurrence[] {
  const found: Occurrence[] = [];
  for (const occurrence of eachOccurrence(window, options)) if (found.push(occurrence) >= count) break;
  return found;
}

/** The same one after the other: each costs an expansion of the rule, so that whoever stops early has saved the rest. */
export function* eachOccurrence(
  window: Looked,
  { from, skipped }: { readonly from: string; readonly skipped: readonly string[] },
): Generator<Occurrence, void> {
  const fromMs = Date.parse(from) - window.durationMs;
  for (const opensMs of instantsAfter(window, fromMs)) {
    const opensAt = new Date(opensMs).toISOString();
    if (!skipped.includes(opensAt)) yield { opensAt, closesAt: new Date(opensMs + window.durationMs).toISOString() };
  }
}

function* instantsAfter(window: When, fromMs: number): Generator<number, void> {
  if (window.rule === null) {
    const only = startOf(window)?.epochMilliseconds ?? null;
    if (only !== null && only > fromMs) yield only;
    return;
  }
  const rule = ruleOf(window);
  for (let next = rule.next(new Date(fromMs)); next !== null; next = rule.next(new Date(Temporal.Instant.from(next.toString()).epochMilliseconds))) {
    const opensMs = epochMs(next);
    if (opensMs > fromMs) yield opensMs;
  }
}

/** Which of the three is wrong, and why; null when all are right. */
export function whyNoRule(window: When): { readonly field: 'start' | 'rule'; readonly reason: string } | null {
  try {
    if (startOf(window) === null) return { field: 'start', reason: `must be a time that the clocks of ${window.zone} show: they skip this one` };
  } catch {
    return { field: 'start', reason: 'must be a date and a time of the calendar, like 2026-12-01T22:00' };
  }
  if (window.rule === null) return null;
  if (!RULE.test(window.rule)) return { field: 'rule', reason: EXAMPLE };
  if (UNTIL_NOT_UTC.test(window.rule)) return { field: 'rule', reason: 'must have its UNTIL in UTC, like UNTIL=20261231T225959Z' };
  try {
    return ruleOf(window).next(new Date(0)) === null ? { field: 'rule', reason: 'must have an occurrence: this rule has none' } : null;
  } catch (error) {
    return { field: 'rule', reason: `${EXAMPLE} (${error instanceof Error ? error.message : String(error)})` };
  }
}

/** Null: the clocks of the zone skip this time. */
function startOf({ zone, start }: When): Temporal.ZonedDateTime | null {
  const local = Temporal.PlainDateTime.from(start, { overflow: 'reject' });
  const zoned = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  return zoned.toPlainDateTime().equals(local) ? zoned : null;
}

function ruleOf(window: When): RRuleTemporal {
  const local = window.start.replaceAll(/[-:]/g, '');
  return new RRuleTemporal({ rruleString: `DTSTART;TZID=${window.zone}:${local}00\nRRULE:${window.rule ?? ''}`, strict: true });
}

/** The library has time-zone data of its own, which differ from this machine's for years far ahead (Africa/Casablanca from 2029 on): the local time is what counts. */
function epochMs(at: { toString(): string }): number {
  return Temporal.ZonedDateTime.from(at.toString(), { offset: 'prefer' }).epochMilliseconds;
}
