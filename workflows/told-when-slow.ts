import type { MigrationStep } from '../src/domain/migration.js';
import type { MigrationContext } from './migration-context.js';

/**
 * A step that may be repeated for a while, because its errors may pass (a busy monitor, a silent node), is told of long before it fails.
 * Nothing is asked: it ends by itself, in a roll-back, and a cancel is free.
 */
export function toldWhenSlow<Result extends object>(context: MigrationContext, step: MigrationStep, work: Promise<Result>): Promise<Result> {
  const { askOperatorAfterMs, stepTimeoutMs } = context.migration.timings;
  const warning =
    `Step ${step} takes longer than ${Math.round(askOperatorAfterMs / 1000)} s: it is repeated, and fails after ` +
    `${Math.round(stepTimeoutMs / 1000)} s; meanwhile "kedge migration show" tells why, and "kedge migration cancel" ends it`;
  return context.patience.watch(work, { timeoutMs: askOperatorAfterMs, onSlow: () => context.story.warn(warning) });
}
