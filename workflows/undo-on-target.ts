import type { MigrationContext } from './migration-context.js';

/** Ends the copy on the target for good; on one that was given up for dead its own next boot does that. */
export async function revokeTarget(context: MigrationContext): Promise<void> {
  if (context.dead.is('target')) return;
  await context.target().undo.revokeTarget({ step: context.story.nextStep(), source: context.story.source });
}

/** For the undos on the source: a target that was given up need not answer. */
export function withoutTarget({ dead }: MigrationContext): { readonly dead?: 'target' } {
  return dead.is('target') ? { dead: 'target' } : {};
}
