import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import type { MigrationStory } from '../domain/migration.js';
import type { ClientContext } from './kedge-client.js';
import type { MigrationRef, MigrationView } from './migration-view.js';
import { readMigration } from './read-migration.js';

export interface WatchOptions {
  /** Pause between two views, in milliseconds; default 1,000. */
  readonly intervalMs?: number;
  /** Ends the watching, not the migration. */
  readonly signal?: AbortSignal;
}

/**
 * Yields a view every interval until the migration has ended; the last view is the end, and comes as soon as the server tells of it.
 * Watching never disturbs a migration.
 */
export async function* watchMigration(
  context: ClientContext,
  { ref, intervalMs = 1_000, signal }: WatchOptions & { readonly ref: MigrationRef },
): AsyncGenerator<MigrationView, void> {
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const ended = end(context, ref, stop);
  let lastStory: MigrationStory | null = null;
  try {
    while (signal?.aborted !== true) {
      const view: MigrationView = await readMigration(context, { ref, lastStory });
      yield view;
      if (view.status !== 'running') return;
      lastStory = view.story;
      await Promise.race([ended, sleep(intervalMs, undefined, { signal: stop }).catch(() => undefined)]);
    }
  } finally {
    over.abort();
  }
}

/** Settles when the migration has ended, by a long poll at the server; never when that was cut off: the interval has to do then. */
async function end({ client }: ClientContext, ref: MigrationRef, signal: AbortSignal): Promise<void> {
  const handle = client.workflow.getHandle(ref.workflowId, ref.runId);
  try {
    await client.withAbortSignal(signal, () => handle.result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) return new Promise(() => undefined);
  }
}
