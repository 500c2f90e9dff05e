/** How long admission took, told by the server's own times in the histories of both sides. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { isRecord } from '../../src/domain/is-record.js';
import { SIGNALS } from '../../src/domain/workflow-names.js';
import type { HistorySize } from './history-sizes.js';

export interface GrantWaits {
  /** From the request at admission to the grant at the migration, milliseconds: with the wait for a place. */
  readonly waitsMs: readonly number[];
  /** From what made a grant possible (a request, or a slot that was given back) to the grant at the migration: admission's own time. */
  readonly hopsMs: readonly number[];
}

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];

const AT_A_TIME = 8;

/** Reads the histories of all runs. */
export async function grantWaits(client: Client, { admissions, migrations }: Record<'admissions' | 'migrations', readonly HistorySize[]>): Promise<GrantWaits> {
  const requestedMs = new Map<string, number>();
  const possibleMs = new Map<string, number>();
  for (const { workflowId, runId } of admissions.flatMap(runsOf)) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    readAdmission(events ?? [], { requestedMs, possibleMs });
  }
  const waitsMs: number[] = [];
  const hopsMs: number[] = [];
  const runs = migrations.flatMap(runsOf);
  for (let at = 0; at < runs.length; at += AT_A_TIME) {
    await Promise.all(
      runs.slice(at, at + AT_A_TIME).map(async ({ workflowId, runId }) => {
        const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        const granted = (events ?? []).find((event) => event.workflowExecutionSignaledEventAttributes?.signalName === SIGNALS.granted);
        if (granted === undefined) return;
        const key = keyOf(workflowId, runId);
        note(waitsMs, { from: requestedMs.get(key), to: timeOf(granted) });
        note(hopsMs, { from: possibleMs.get(key), to: timeOf(granted) });
      }),
    );
  }
  return { waitsMs, hopsMs };
}

/** Largest answer of one call to the control worker that the histories have, bytes: what a drain learns from a look at the cluster. */
export async function largestAnswer(client: Client, sizes: readonly HistorySize[]): Promise<number> {
  let largest = 0;
  for (const { workflowId, runId } of sizes.flatMap(runsOf)) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const { markerRecordedEventAttributes: marker } of events ?? []) {
      const payloads = Object.values(marker?.details ?? {}).flatMap((detail) => detail.payloads ?? []);
      largest = Math.max(largest, ...payloads.map(({ data }) => data?.length ?? 0));
    }
  }
  return largest;
}

/** A task of admission acts on all signals since the task before; the first of them is what made its grants possible. */
function readAdmission(events: readonly HistoryEvent[], found: Record<'requestedMs' | 'possibleMs', Map<string, number>>): void {
  let pending: { id: number; ms: number }[] = [];
  let firstMs: number | null = null;
  const startedBy = new Map<number, number>();
  for (const event of events) {
    const { workflowExecutionSignaledEventAttributes: signal, signalExternalWorkflowExecutionInitiatedEventAttributes: grant } = event;
    const completed = event.workflowTaskCompletedEventAttributes;
    if (signal != null) {
      pending.push({ id: Number(event.eventId), ms: timeOf(event) });
      const request: unknown = signal.input?.payloads?.[0] == null ? null : defaultPayloadConverter.fromPayload<unknown>(signal.input.payloads[0]);
      if (signal.signalName === SIGNALS.request && isRecord(request)) {
        const key = keyOf(String(request['holder']), String(request['runId']));
        if (!found.requestedMs.has(key)) found.requestedMs.set(key, timeOf(event));
      }
    } else if (event.workflowTaskStartedEventAttributes != null) startedBy.set(Number(event.eventId), pending[0]?.ms ?? Number.NaN);
    else if (completed != null) {
      const startedId = Number(completed.startedEventId);
      firstMs = startedBy.get(startedId) ?? null;
      pending = pending.filter(({ id }) => id > startedId);
    } else if (grant?.workflowExecution != null && firstMs !== null) {
      found.possibleMs.set(keyOf(grant.workflowExecution.workflowId ?? '', grant.workflowExecution.runId ?? ''), firstMs);
    }
  }
}

const runsOf = ({ workflowId, runIds }: HistorySize): readonly { workflowId: string; runId: string }[] => runIds.map((runId) => ({ workflowId, runId }));
const keyOf = (workflowId: string, runId: string): string => `${workflowId} ${runId}`;
const timeOf = ({ eventTime }: HistoryEvent): number => Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;

function note(list: number[], { from, to }: { from: number | undefined; to: number }): void {
  if (from !== undefined && Number.isFinite(from)) list.push(Math.max(0, to - from));
}
