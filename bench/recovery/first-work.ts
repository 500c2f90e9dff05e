import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { CONTROL_START } from '../../src/client/control-start.js';
import { parseVmid } from '../../src/domain/ids.js';
import { isRecord } from '../../src/domain/is-record.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import type { BenchNode } from '../live/bench-node.js';

const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

/** A short workflow, started as soon as the server accepts it; what it does is only to be worked at. */
export async function startProbe(address: string, node: BenchNode): Promise<{ readonly acceptedAtMs: number; readonly workflowId: string }> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let attempt = 0; ; attempt += 1) {
    const workflowId = `bench-probe-${Date.now()}-${attempt}`;
    try {
      // A connection of its own: one that saw the server die waits longer and longer before it tries again.
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      try {
        const command = { verb: 'show', vmid: parseVmid(101) };
        await connection.withDeadline(Date.now() + 1_000, () =>
          new Client({ connection }).workflow.start(WORKFLOW_TYPES.manageGuest, { ...CONTROL_START, workflowId, args: [{ node: node.name, command }] }),
        );
        return { acceptedAtMs: Date.now(), workflowId };
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (performance.now() > deadline)
        throw new KedgeError('server-unreachable', `Cannot measure: the server at ${address} accepts nothing`, { cause: error });
      await sleep(PAUSE_MS);
    }
  }
}

/** When the first workflow task of a workflow was completed, by the server's clock, which is this machine's. */
export async function firstTaskAt(client: Client, workflowId: string): Promise<number> {
  return until('a completed workflow task', async () => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const done = (events ?? []).find((event) => event.workflowTaskCompletedEventAttributes);
    return done === undefined ? null : millisecondsOf(done.eventTime);
  });
}

/** When a copy's attempt that began after `sinceMs` first sent a heartbeat. */
export async function firstHeartbeatAt(client: Client, { workflowId, sinceMs }: { readonly workflowId: string; readonly sinceMs: number }): Promise<number> {
  return until('a heartbeat of a new attempt', async () => {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    const copy = (raw.pendingActivities ?? []).find((pending) => pending.activityType?.name === 'copyAndSwitchOver');
    const at = millisecondsOf(copy?.lastHeartbeatTime);
    return (copy?.attempt ?? 1) > 1 && at !== null && at > sinceMs ? at : null;
  });
}

async function until(what: string, look: () => Promise<number | null>): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look().catch(() => null);
    if (found !== null) return found;
    if (performance.now() > deadline) throw new KedgeError('lab-failed', `Cannot measure: ${what} was not seen in time`);
    await sleep(PAUSE_MS);
  }
}

/** A protobuf timestamp, whose seconds may come as Long. */
function millisecondsOf(timestamp: unknown): number | null {
  if (!isRecord(timestamp)) return null;
  return Number(timestamp['seconds'] ?? 0) * 1_000 + Number(timestamp['nanos'] ?? 0) / 1e6;
}
