import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Client, ScheduleDescription } from '@temporalio/client';
import { isRecord } from '../../domain/is-record.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { Occurrence, ScheduledWindow, WindowDefinition } from '../../domain/window/window.js';
import { windowScheduleId } from '../../domain/workflow-names.js';
import { windowFileOf } from '../../schema/print-window.js';

/** Another start after an outage may come as late as the window allows; Temporal takes no less than this. */
const SHORTEST_CATCH_UP_MS = 10_000;

/** One entry of the schedule: a single second in UTC. Time zones and rules were worked out before. */
export function calendarOf({
  opensAt,
}: Occurrence): Record<'year' | 'month' | 'dayOfMonth' | 'hour' | 'minute' | 'second', { start: number; end: number; step: number }[]> {
  const at = new Date(opensAt);
  const only = (value: number): { start: number; end: number; step: number }[] => [{ start: value, end: value, step: 1 }];
  return {
    year: only(at.getUTCFullYear()),
    month: only(at.getUTCMonth() + 1),
    dayOfMonth: only(at.getUTCDate()),
    hour: only(at.getUTCHours()),
    minute: only(at.getUTCMinutes()),
    second: only(at.getUTCSeconds()),
  };
}

export const catchUpMs = ({ lateMs, durationMs }: WindowDefinition): number => Math.max(SHORTEST_CATCH_UP_MS, Math.min(lateMs, durationMs));

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
