import { ScheduleNotFoundError, type ScheduleDescription } from '@temporalio/client';
import type { AuditedSchedule } from '../domain/audit-types.js';
import { isRecord } from '../domain/is-record.js';
import { CONTROL_QUEUE } from '../domain/task-queues.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** The schedules of this namespace that start workflows of Kedge: those on its queue. Others are not ours to judge. */
export async function readSchedules({ client }: ClientContext): Promise<readonly AuditedSchedule[]> {
  return withClientErrors('list schedules', async () => {
    const found: AuditedSchedule[] = [];
    for await (const { scheduleId } of client.schedule.list()) {
      const description = await describe(client, scheduleId);
      if (description?.action.taskQueue === CONTROL_QUEUE) found.push(scheduleOf(scheduleId, description));
    }
    return found;
  });
}

/** Null for one that was deleted since it was listed. */
async function describe(client: ClientContext['client'], scheduleId: string): Promise<ScheduleDescription | null> {
  try {
    return await client.schedule.getHandle(scheduleId).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

function scheduleOf(scheduleId: string, { action, state }: Pick<ScheduleDescription, 'action' | 'state'>): AuditedSchedule {
  const input: unknown = action.args?.[0];
  const fields = isRecord(input) ? input : {};
  const nodes = [fields['node'], fields['source'], fields['target'], ...nodesOfWindow(fields['file'])].filter((name) => typeof name === 'string');
  const vmid = typeof fields['vmid'] === 'number' ? fields['vmid'] : null;
  return { scheduleId, workflowType: action.workflowType, vmid, nodes, paused: state.paused };
}

/** A window names its nodes, or all: those are always there. */
function nodesOfWindow(file: unknown): readonly unknown[] {
  const nodes: unknown = isRecord(file) ? file['nodes'] : null;
  return Array.isArray(nodes) ? nodes : [];
}
