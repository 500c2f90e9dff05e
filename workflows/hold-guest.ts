import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { HeldGuestEnd } from '../activities/interface.js';
import type { MigrationKind } from '../src/domain/migration.js';
import { readFailure } from '../src/domain/read-failure.js';
import type { MigrationContext } from './migration-context.js';
import { watchesHeldGuests } from './patches.js';

/**
 * Waits for the end of the hold before a shutdown. Answers `crashed` when the guest that is to run until then went off, which nobody has told it
 * to: nobody starts a claimed guest, and nobody has said that it may move now.
 *
 * One that has shut itself down is off as its user wants it: its hold goes on as that of a guest that was off before.
 */
export async function holdGuest(context: MigrationContext, movement: MigrationKind): Promise<'released' | 'crashed'> {
  const { hold, story, migration } = context;
  const released = hold.ended().then(() => 'released' as const);
  if (movement !== 'restart' || !watchesHeldGuests()) return released;
  const watch = new CancellationScope();
  try {
    const end = await Promise.race([released, watch.run(() => watchGuest(context))]);
    if (end === 'released') return end;
    if (end?.wanted === 'running' || end?.wanted === 'paused') return 'crashed';
    if (end !== null) {
      story.shutItselfDown();
      story.warn(`Guest ${migration.vmid} has shut itself down in its hold: it stays off, and moves as it is when it is released`);
    }
    return await released;
  } finally {
    watch.cancel();
  }
}

/** Null: the source refuses to tell. The hold is then what it would be without a watch. One that can't tell now is asked on by Temporal. */
async function watchGuest(context: MigrationContext): Promise<HeldGuestEnd | null> {
  const { story, migration } = context;
  try {
    return await context.source().watch.watchHeldGuest({ step: story.nextStep() });
  } catch (error) {
    if (isCancellation(error)) throw error;
    story.warn(`Guest ${migration.vmid} is not watched in its hold: ${readFailure(error).message}`);
    return null;
  }
}

/** What ends the migration of a guest that crashed in its hold. */
export function crashedInHold({ story, migration }: MigrationContext): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'guest-state',
    nonRetryable: true,
    message: `Cannot move guest ${migration.vmid}: it crashed while it was held, or ${story.source} restarted`,
  });
}
