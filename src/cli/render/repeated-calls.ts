import type { MigrationView } from '../../client/migration-view.js';

/** The calls that had to be repeated, each with what the try before said: a worker died, a node or a monitor does not answer. */
export function repeatedCalls(view: Pick<MigrationView, 'activities'>): readonly string[] {
  return view.activities
    .filter((activity) => activity.attempt > 1)
    .map(({ name, attempt, lastFailure }) => `${name} attempt ${String(attempt)}${lastFailure === null ? '' : ` (${lastFailure})`}`);
}
