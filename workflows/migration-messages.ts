import { ApplicationFailure, CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { OPERATOR_DECISIONS, type OperatorAnswer, type OperatorDecision } from '../src/domain/migration.js';
import type { ErrorCode } from '../src/domain/error-codes.js';
import { cancelUpdate, decideUpdate, releaseUpdate, storyQuery } from './messages.js';
import type { MigrationContext } from './migration-context.js';

/** What is known of the commit step: it decides whether a cancel came in time. */
export interface CommitProgress {
  settle(end: 'committed' | 'unwound'): void;
}

/** Answers the query and the updates of one migration. */
export function handleMigrationMessages(context: MigrationContext): CommitProgress {
  const { migration, story, desk, cancel, hold } = context;
  let end: 'committed' | 'unwound' | null = null;

  setHandler(storyQuery, () => story.tell(desk.question));

  setHandler(
    cancelUpdate,
    async () => {
      cancel.cancel('cancelled');
      // Only the copy knows whether its switchover had gone too far: it is the one to answer.
      // Nor is Temporal's own cancel an answer.
      await CancellationScope.nonCancellable(() => condition(() => end !== null));
      if (end === 'committed') throw refusal('cancel-refused', tooLate(migration.vmid, { source: story.source, target: migration.target }));
      return { cancelled: true as const };
    },
    {
      validator: () => {
        if (end === 'committed') throw refusal('cancel-refused', tooLate(migration.vmid, { source: story.source, target: migration.target }));
      },
    },
  );

  setHandler(
    releaseUpdate,
    () => {
      hold.release();
      return { released: true as const };
    },
    {
      validator: () => {
        if (!migration.options.hold) throw refusal('guest-state', `Cannot release the migration of guest ${migration.vmid}: it was started without a hold`);
        if (end !== null) throw refusal('guest-state', `Cannot release the migration of guest ${migration.vmid}: its hold has ended`);
      },
    },
  );

  setHandler(
    decideUpdate,
    (given) => {
      const answer = answerOf(given);
      desk.decide(answer);
      return { decided: answer.decision };
    },
    {
      validator: (given: OperatorDecision | OperatorAnswer) => {
        const { decision } = answerOf(given);
        if (!OPERATOR_DECISIONS.some((known) => known === decision)) {
          throw refusal('bad-input', `Cannot decide: current value is "${decision}", must be one of ${OPERATOR_DECISIONS.join(', ')}`);
        }
        if (desk.question === null) throw refusal('guest-state', `Cannot decide for the migration of guest ${migration.vmid}: it asks nothing`);
        if (desk.question.choices[decision] === undefined) {
          const offered = Object.keys(desk.question.choices).join(', ');
          throw refusal('guest-state', `Cannot decide "${decision}" for the migration of guest ${migration.vmid}: it offers ${offered}`);
        }
      },
    },
  );

  return {
    settle: (how) => {
      end = how;
    },
  };
}

/** A bare decision comes from whom the story need not name. */
function answerOf(given: OperatorDecision | OperatorAnswer): OperatorAnswer {
  return typeof given === 'string' ? { decision: given, statedBy: 'somebody' } : given;
}

function tooLate(vmid: number, { source, target }: { source: string; target: string }): string {
  return `Cannot cancel the migration of guest ${vmid}: it was handed over to ${target}, and what has run there can't be taken back; once it has ended, move the guest back with "kedge migrate ${vmid} ${source}"`;
}

function refusal(code: ErrorCode, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, nonRetryable: true });
}
