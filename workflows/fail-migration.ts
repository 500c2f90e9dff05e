import { ApplicationFailure } from '@temporalio/workflow';
import type { ErrorCode } from '../src/domain/error-codes.js';
import type { MigrationOutcome, MigrationStory } from '../src/domain/migration.js';
import { readFailure, type KedgeFailure } from '../src/domain/read-failure.js';
import type { MigrationContext } from './migration-context.js';
import { SagaAbandoned } from './saga.js';

/** Ends the story, and turns what stopped the migration into the failure that users see. */
export function failMigration(context: MigrationContext, error: unknown): ApplicationFailure {
  const { story, migration } = context;
  const failure = readFailure(error);
  const end = endOf(context, error, failure);
  story.end(end.outcome);
  const told = story.tell(null);
  return ApplicationFailure.create({
    type: end.code,
    nonRetryable: true,
    message:
      end.message ??
      `Migration ${told.id ?? `of guest ${migration.vmid}`} ended, the guest ${story.hasShutItselfDown ? 'has shut itself down and stays off' : stateOf(told)} at ${told.source ?? 'its source'}: ${failure.message}`,
    details: [{ ...failure.details, cause: { code: failure.code, message: failure.message }, story: told }],
    ...(error instanceof Error ? { cause: error } : {}),
  });
}

function stateOf({ outcome, kind }: MigrationStory): string {
  if (outcome === 'guest-lost-memory') return 'lost its memory and was started anew';
  return kind === 'offline' ? 'is off as before' : 'runs on';
}

interface MigrationEnd {
  readonly code: ErrorCode;
  readonly outcome: MigrationOutcome | null;
  readonly message?: string;
}

function endOf({ story, cancel, migration }: MigrationContext, error: unknown, failure: KedgeFailure): MigrationEnd {
  if (error instanceof SagaAbandoned) {
    return {
      code: 'needs-operator',
      outcome: 'abandoned',
      message: `${error.message}: run "kedge audit" to see where guest ${migration.vmid} is and what is left`,
    };
  }
  const stoppedBy = failure.code === 'cancelled' ? (cancel.reason ?? 'cancelled') : cancel.stoppedBy;
  if (stoppedBy !== null) {
    const code = stoppedBy;
    const message =
      code === 'cancelled'
        ? `Migration of guest ${migration.vmid} cancelled: the guest is as before`
        : `Migration of guest ${migration.vmid} took longer than ${migration.options.timeoutMs} ms: the guest is as before`;
    const end = { code, outcome: code === 'cancelled' ? 'cancelled' : 'rolled-back' } as const;
    // A guest whose QEMU died meanwhile is not as before.
    return story.tell(null).outcome === 'guest-lost-memory' ? end : { ...end, message };
  }
  const touched = story.tell(null).steps.some((report) => report.step === 'prepare');
  // Up to the claim nothing was moved: the failure is the plain refusal of a step, and exits as such.
  if (!touched) return { code: failure.code, outcome: UNTOUCHED.includes(failure.code) ? null : 'rolled-back', message: failure.message };
  return { code: KEEP_THEIR_CODE.includes(failure.code) ? failure.code : 'rolled-back', outcome: 'rolled-back' };
}

/** Nothing was begun. */
const UNTOUCHED: readonly ErrorCode[] = ['migration-refused', 'too-late'];

/** Failures that a setting of the migration can prevent: their own remedy names it. */
const KEEP_THEIR_CODE: readonly ErrorCode[] = ['not-converging', 'deadline-exceeded', 'shutdown-timeout'];
