/**
 * The steps of a live migration, each with its undo:
 *
 *   admit → claim → prepare → pre-copy (with the switchover: commit) → confirm → release
 *
 * The copy and the switchover are one activity on the source node, so that no round trip through Temporal lies inside the
 * blackout; the story shows them as two steps.
 */
import type { ClaimResult, PreparedTarget } from '../activities/interface.js';
import type { MigrationStep } from '../src/domain/migration.js';
import { copyAndSwitchOver, type CommittedCopy } from './copy-and-switch-over.js';
import type { MigrationContext } from './migration-context.js';
import { revokeTarget, withoutTarget } from './undo-on-target.js';
import { admit } from './admit.js';
import { must } from './must.js';
import type { SagaStep } from './saga.js';
import type { SlotLease } from './slot-lease.js';
import { toldWhenSlow } from './told-when-slow.js';
import type { ValidGuest } from './validate-migration.js';

/** The list that the saga runs; results of earlier steps travel between them in this closure. */
export function liveSteps(context: MigrationContext, lease: SlotLease, guest: ValidGuest): readonly SagaStep<MigrationStep>[] {
  const { migration, story } = context;
  const { target, options } = migration;
  let claim: ClaimResult | null = null;
  let prepared: PreparedTarget | null = null;
  let committed: CommittedCopy | null = null;

  return [
    {
      name: 'admit',
      forward: () => admit(context, { lease, slot: guest.slot }),
      undo: () => lease.release(),
    },
    {
      name: 'claim',
      forward: async () => {
        claim = await toldWhenSlow(context, 'claim', context.source().idempotent.claimGuest({ step: story.nextStep(), target }));
      },
      undo: () => context.source().undo.unclaimGuest({ step: story.nextStep(), target, ...withoutTarget(context) }),
    },
    {
      name: 'prepare',
      forward: async () => {
        const { config, wanted } = must(claim);
        const { runningMachine, qemuVersion: sourceQemu } = guest;
        const step = story.nextStep();
        prepared = await toldWhenSlow(
          context,
          'prepare',
          context.target().idempotent.prepareTarget({ step, source: story.source, config, wanted, runningMachine, sourceQemu, options }),
        );
      },
      undo: () => revokeTarget(context),
    },
    {
      name: 'pre-copy',
      commit: true,
      forward: async () => {
        committed = await copyAndSwitchOver(context, { prepared: must(prepared), granted: lease.granted });
      },
      undo: () => context.source().undo.cancelStream({ step: story.nextStep(), target, ...withoutTarget(context) }),
    },
    {
      name: 'confirm',
      forward: async () => {
        if (must(committed).confirmed) return;
        const { announced } = await context.target().undo.confirmTarget({ step: story.nextStep(), source: story.source });
        if (!announced) story.warn(`Guest ${migration.vmid} runs on ${target}, but its new place could not be announced to the network`);
      },
      noUndo: 'The guest runs on the target: only forward',
    },
    {
      name: 'release',
      forward: async () => {
        // The load is over. Sent beside the clean-up, so that it costs no round trip of its own.
        void lease.release();
        // Its own next boot makes its record void and removes what is left.
        if (context.dead.is('source')) return;
        await context.source().undo.releaseSource({ step: story.nextStep(), target });
      },
      noUndo: 'The guest runs on the target: only forward',
    },
  ];
}
