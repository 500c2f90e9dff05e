import { ApplicationFailure } from '@temporalio/workflow';
import type { MoveSight } from '../activities/interface-control.js';
import type { SlotNeeds } from '../src/domain/admission-use.js';
import { checkTurn } from '../src/domain/check-migration.js';
import type { MigrationContext } from './migration-context.js';
import type { SlotLease } from './slot-lease.js';
import { refuse } from './validate-migration.js';
import { instantMs, workflowTimeMs } from './workflow-time.js';

/**
 * Waits for the migration's turn, and lets it begin only if its target still takes guests and no blackout has begun: both are looked at with each request,
 * which is repeated now and then while it waits (admission may have been ended by hand), and once more after a wait.
 * @throws ApplicationFailure `migration-refused`; `too-late` when the turn has not come by `notAfter`
 */
export async function admit(context: MigrationContext, { lease, slot }: { readonly lease: SlotLease; readonly slot: SlotNeeds }): Promise<void> {
  const { migration, patience, story } = context;
  const { timings, priority, options, notAfter } = migration;
  const leftMs = (): number => (notAfter === null ? Infinity : instantMs(notAfter) - workflowTimeMs());
  let seenAtMs = 0;
  const ask = async (): Promise<MoveSight | undefined> => {
    if (leftMs() <= 0) throw ApplicationFailure.nonRetryable(`Guest ${migration.vmid} had no slot by ${notAfter ?? ''}: it stays where it is`, 'too-late');
    seenAtMs = workflowTimeMs();
    const sight = await lease.ask({ ...slot, priority, retryMs: timings.retryFirstMs });
    if (sight !== undefined)
      refuse(migration, checkTurn({ ...migration, ...sight, source: story.source, pressing: options.ignoreBlackout || priority === 'failure' }));
    return sight;
  };
  // An older control worker, whose histories have neither timer nor second request.
  if ((await ask()) === undefined) {
    await lease.whenGranted();
    return;
  }
  while ((await patience.within(lease.whenGranted(), Math.min(timings.askOperatorAfterMs, leftMs()))) === null) await ask();
  // Drains look as often, and until then they see the request.
  if (workflowTimeMs() - seenAtMs > timings.drainLookMs || leftMs() <= 0) await ask();
}
