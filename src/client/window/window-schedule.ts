import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import type { CalendarSpec, Client, ScheduleDescription, ScheduleSpec } from '@temporalio/client';
import { isRecord } from '../../domain/is-record.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { Occurrence, ScheduledWindow, WindowDefinition } from '../../domain/window/window.js';
import { windowScheduleId } from '../../domain/workflow-names.js';
import { windowFileOf } from '../../schema/print-window.js';

/** Months by their names, as the SDK wants them. */
const MONTHS = ['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'] as const;

/**
 * When a schedule acts: in single seconds in UTC, time zones and rules were worked out before. Whoever writes one goes through the SDK's encoder
 * from here: it fills in the days of the week, and without them an entry matches no day at all.
 */
export function specOf(occurrences: readonly Occurrence[]): ScheduleSpec {
  return { calendars: occurrences.map(calendarOf), timezone: 'UTC' };
}

/**
 * No two openings of a window at once. After an outage one opening is started however late that is, since it says itself whether it is too late
 * (`isMissed`): what the server dropped would be missed without a trace. Of several that came due it is the first; it opens as the last (open-window.ts).
 */
export const WINDOW_POLICIES = { overlap: 'SKIP', catchupWindow: '30 days' } as const;

function calendarOf({ opensAt }: Occurrence): CalendarSpec {
  const at = new Date(opensAt);
  return {
    year: at.getUTCFullYear(),
    month: MONTHS[at.getUTCMonth()] ?? 'JANUARY',
    dayOfMonth: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
  };
}

/** What a schedule keeps of a definition. */
export function scheduledWindow(definition: WindowDefinition, skipped: readonly string[]): ScheduledWindow {
  return { file: windowFileOf(definition), skipped, revision: randomUUID() };
}

type Described = ScheduleDescription['raw'];

/** A schedule as the server has it, and the window that it keeps. @throws KedgeError `not-found` */
export async function describeWindow(
  client: Client,
  name: string,
): Promise<{ readonly raw: Described; readonly kept: ScheduledWindow; readonly definition: WindowDefinition }> {
  const { raw } = await client.schedule.getHandle(windowScheduleId(name)).describe();
  const payload = raw.schedule?.action?.startWorkflow?.input?.payloads?.[0];
  const kept: unknown = payload == null ? null : defaultPayloadConverter.fromPayload(payload);
  if (!isScheduledWindow(kept)) throw new KedgeError('not-found', `Cannot read window ${name}: its schedule keeps no window`);
  // Rules and time zones are a large library, which no other command needs.
  const { parseWindowFile } = await import('../../schema/window-file.js');
  return { raw, kept, definition: parseWindowFile(kept.file) };
}

function isScheduledWindow(value: unknown): value is ScheduledWindow {
  return isRecord(value) && isRecord(value['file']) && Array.isArray(value['skipped']) && typeof value['revision'] === 'string';
}
