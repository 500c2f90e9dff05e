import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { isRecord } from '../domain/is-record.js';
import type { PendingActivity } from './migration-view.js';

/** A pending activity with its newest heartbeat. */
export interface HeartbeatView extends PendingActivity {
  /** Names it within its execution. */
  readonly id: string;
  /** Identity of the worker that took it up last; empty before the first. */
  readonly worker: string;
  /** The first heartbeat detail, still unparsed; undefined before the first heartbeat. */
  readonly heartbeat: unknown;
}

/** temporal.api.enums.v1.PendingActivityState */
const STATES: Readonly<Record<number, PendingActivity['state']>> = { 1: 'scheduled', 2: 'started', 3: 'cancel-requested' };

/** The activities that run or wait now, from `describe()`: needs no worker, so it works while the control worker is down. */
export function readPendingActivities(description: WorkflowExecutionDescription): readonly HeartbeatView[] {
  return (description.raw.pendingActivities ?? []).map((pending) => {
    const payload = pending.heartbeatDetails?.payloads?.[0];
    const heartbeatAt = millisecondsOf(pending.lastHeartbeatTime);
    return {
      id: pending.activityId ?? '',
      worker: pending.lastWorkerIdentity ?? '',
      name: pending.activityType?.name ?? 'unknown',
      state: STATES[pending.state ?? 0] ?? 'unknown',
      attempt: pending.attempt ?? 1,
      lastFailure: pending.lastFailure?.message ?? null,
      heartbeatAgeMs: heartbeatAt === null ? null : Math.max(0, Date.now() - heartbeatAt),
      heartbeat: payload === undefined ? undefined : defaultPayloadConverter.fromPayload<unknown>(payload),
    };
  });
}

/** A protobuf timestamp, whose seconds may come as Long. */
function millisecondsOf(timestamp: unknown): number | null {
  if (!isRecord(timestamp)) return null;
  const milliseconds = Number(timestamp['seconds'] ?? 0) * 1000 + Number(timestamp['nanos'] ?? 0) / 1e6;
  return milliseconds > 0 ? milliseconds : null;
}
