import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { isRecord } from '../domain/is-record.js';
import type { CopyProgress, MigrationStory } from '../domain/migration.js';
import { QUERIES } from '../domain/workflow-names.js';
import { askWorkflow } from './ask-workflow.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';
import type { MigrationRef, MigrationStatus, MigrationView } from './migration-view.js';
import { readPendingActivities } from './pending-activities.js';
import { readEnd } from './read-end.js';

export interface ReadMigrationOptions {
  readonly ref: MigrationRef;
  /** The story as it was read last, to be kept while no control worker answers. */
  readonly lastStory?: MigrationStory | null;
}

/** Reads one migration, running or ended. An ended one needs no worker: its end carries the story. */
export async function readMigration({ client }: ClientContext, { ref, lastStory = null }: ReadMigrationOptions): Promise<MigrationView> {
  return withClientErrors(`read migration ${ref.workflowId}`, async () => {
    const handle = client.workflow.getHandle(ref.workflowId, ref.runId);
    const description = await handle.describe();
    const status = STATUSES[description.status.name] ?? 'unknown';
    const end = status === 'completed' || status === 'failed' ? await readEnd(handle, { is: isStory, under: 'story' }) : null;
    const asked = end === null ? await askForStory(handle) : null;
    const story = end?.said ?? asked ?? lastStory;
    const activities = readPendingActivities(description);
    const progress = activities.map((activity) => activity.heartbeat).find(isCopyProgress) ?? null;
    return {
      ref,
      status,
      ...timesOf(description),
      phase: story?.phase === 'needs-operator' ? story.phase : (progress?.phase ?? story?.phase ?? null),
      story,
      storyIsFresh: (end?.said ?? asked) !== null,
      progress,
      activities: activities.map(({ name, state, attempt, lastFailure, heartbeatAgeMs }) => ({ name, state, attempt, lastFailure, heartbeatAgeMs })),
      failure: end?.failure ?? null,
    };
  });
}

const STATUSES: Readonly<Record<string, MigrationStatus>> = {
  RUNNING: 'running',
  PAUSED: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'failed',
  TIMED_OUT: 'failed',
  TERMINATED: 'terminated',
};

/** Without an answer the server's own facts have to do. */
async function askForStory(handle: WorkflowHandle): Promise<MigrationStory | null> {
  const story = await askWorkflow(handle, QUERIES.story);
  return isStory(story) ? story : null;
}

function timesOf(description: WorkflowExecutionDescription): { startedAt: string; endedAt: string | null } {
  return { startedAt: description.startTime.toISOString(), endedAt: description.closeTime?.toISOString() ?? null };
}

/** Is it what a migration tells of itself? */
export function isStory(value: unknown): value is MigrationStory {
  return isRecord(value) && value['v'] === 1 && typeof value['vmid'] === 'number' && Array.isArray(value['steps']);
}

function isCopyProgress(value: unknown): value is CopyProgress {
  return isRecord(value) && value['v'] === 1 && typeof value['bytesSent'] === 'number' && typeof value['phase'] === 'string';
}
