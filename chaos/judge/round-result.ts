import type { CrashPoint } from '../../src/domain/crash-points.js';
import type { RoundPlan } from '../plan/round-plan.js';

/** What a round came to. Plain JSON. */
export interface RoundResult {
  readonly plan: RoundPlan;
  /** Did the fault find something to hit? Else the round counts for nothing but its checks. */
  readonly struck: boolean;
  /** The crash point that was passed while it was armed. */
  readonly passed: CrashPoint | null;
  /** How the migration ended, in a word or two. */
  readonly outcome: string;
  /** From the end of the fault until every guest ran on one node and the migration had ended. */
  readonly recoveryMs: number | null;
  readonly doubles: readonly string[];
  readonly leftovers: readonly string[];
  readonly lost: readonly string[];
  readonly needsOperator: boolean;
}

export const hasFailed = ({ doubles, leftovers, lost }: Pick<RoundResult, 'doubles' | 'leftovers' | 'lost'>): boolean =>
  doubles.length + leftovers.length + lost.length > 0;
