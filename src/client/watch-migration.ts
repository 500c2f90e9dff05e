import { setTimeout as sleep } from 'node:timers/promises';
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

/** Yields a view every interval until the migration has ended; the last view is the end. Watching never disturbs a migration. */
export async function* watchMigration(
  context: ClientContext,
  { ref, intervalMs = 1_000, signal }: WatchOptions & { readonly ref: MigrationRef },
): AsyncGenerator<MigrationView, void> {
  let lastStory: MigrationStory | null = null;
  while (signal?.aborted !== true) {
    const view: MigrationView = await readMigration(context, { ref, lastStory });
    yield view;
    if (view.status !== 'running') return;
    lastStory = view.story;
    try {
      await sleep(intervalMs, undefined, signal === undefined ? {} : { signal });
    } catch {
      return;
    }
  }
}
