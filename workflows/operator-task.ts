import type { MigrationStep, OperatorQuestion } from '../src/domain/migration.js';
import { doubtHelp } from './doubt-help.js';
import type { MigrationContext } from './migration-context.js';
import type { PersistTask } from './operator-desk.js';
import type { SagaTask } from './saga.js';

/** Puts a step that can't get done into the operator's words: what is being tried, and what each decision does and risks. */
export function operatorTask(context: MigrationContext, task: SagaTask<MigrationStep>): PersistTask {
  const { migration, story } = context;
  const { vmid, target } = migration;
  const retry = 'Try again now; right when the cause was mended';
  const abandon = 'End this migration as it stands; nothing more is done, "kedge audit" shows what is left';
  const wording = task.direction === 'undo' ? undoWording(task.step) : forwardWording(task.step);
  return {
    step: task.step,
    work: task.work,
    askAfterMs: migration.timings.askOperatorAfterMs,
    purpose: wording.purpose,
    choices: { retry, abandon, skip: wording.skip },
    // Every undo on the source may have to hear from the target first. What the target owns is no longer this migration's to decide.
    ...(task.direction === 'undo' ? { doubt: doubtHelp(context, ['target']) } : {}),
  };

  function undoWording(step: MigrationStep): { purpose: string; skip: OperatorQuestion['choices']['skip'] } {
    switch (step) {
      case 'pre-copy':
        return {
          purpose: `the RAM stream on ${story.source} stopped`,
          skip: 'Leave the stream as it is and undo the rest; right when its QEMU is known to be gone',
        };
      case 'prepare':
        return {
          purpose: `the copy of guest ${vmid} on ${target} revoked`,
          skip: `Leave the copy on ${target}: it never got the word to run; a copy in memory ends alone with its lease, one of disks is removed by the next migration there`,
        };
      case 'claim':
        return {
          purpose: `guest ${vmid} on ${story.source} freed of its claim`,
          skip: `Leave the claim: the next migration of the guest is refused until ${story.source} has settled it`,
        };
      case 'shutdown':
        return {
          purpose: `guest ${vmid} taken back and started on ${story.source}`,
          skip: `Leave guest ${vmid} off and undo the rest; right when ${story.source} is known to be off for good`,
        };
      case 'validate':
      case 'admit':
      case 'pre-sync':
      case 'final-sync':
      case 'verify':
      case 'hand-over':
      case 'start':
      case 'switchover':
      case 'confirm':
      case 'release':
        return { purpose: `step ${step} undone`, skip: 'Leave this step as it is and undo the rest' };
    }
  }

  function forwardWording(step: MigrationStep): { purpose: string; skip: OperatorQuestion['choices']['skip'] } {
    if (step === 'start') {
      return { purpose: `guest ${vmid} started on ${target}`, skip: `Leave it off: ${target} owns it, start it there with "kedge guest start ${vmid}"` };
    }
    return step === 'confirm'
      ? { purpose: `guest ${vmid} seen running on ${target}`, skip: `Go on without having seen it: ${target} owns the guest in any case` }
      : {
          purpose: `what guest ${vmid} left on ${story.source} removed`,
          skip: `Leave it there: ${story.source} may not run the guest any more, and "kedge audit" lists what it still has`,
        };
  }
}
