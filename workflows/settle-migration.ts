import { isCancellation, sleep } from '@temporalio/workflow';
import type { SettledMigration } from '../activities/interface.js';
import { ERROR_CODES } from '../src/domain/error-codes.js';
import { readFailure, type KedgeFailure } from '../src/domain/read-failure.js';
import type { MigrationContext } from './migration-context.js';

/**
 * The reconciler after a switchover whose answer was lost. The source's node is asked first, since only it may send go; when it
 * gives no answer, the target's. Both probe each other and decide by the in-doubt table; only they act.
 * Never gives up by itself; tells what each try said. @throws the failure that no repetition can mend, e.g. `needs-operator` for two runners.
 */
export async function settleMigration(context: MigrationContext, onFailure: (failure: KedgeFailure) => void): Promise<SettledMigration> {
  const { migration, story } = context;
  const names = { source: story.source, target: migration.target };
  for (let pauseMs = migration.timings.retryFirstMs; ; pauseMs = Math.min(2 * pauseMs, migration.timings.retryLongestMs)) {
    for (const askedOn of ['source', 'target'] as const) {
      if (context.dead.is(askedOn)) continue;
      const node = askedOn === 'source' ? context.source() : context.target();
      try {
        return await node.settle.settleMigration({
          step: story.nextStep(),
          ...names,
          askedOn,
          ...(context.dead.role === null ? {} : { dead: context.dead.role }),
        });
      } catch (error) {
        if (isCancellation(error)) throw error;
        const failure = readFailure(error);
        if (failure.answer === 'given' && !ERROR_CODES[failure.code].retryable) throw error;
        onFailure(failure);
      }
    }
    await sleep(pauseMs);
  }
}
