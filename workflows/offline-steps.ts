/**
 * The steps of a migration whose guest is off when it changes hands, each with its undo:
 *
 *   admit → claim → prepare → pre-sync → shutdown → final-sync → verify → hand-over (commit) → start → release
 *
 * Up to the hand-over the source's disks are the guest's; they are only read. The shutdown is undone by taking the guest back and starting
 * it again, before anything on the target is removed: the guest's time off counts most.
 */
import type { ClaimResult, PreparedCopy } from '../activities/interface.js';
import type { MigrationStep } from '../src/domain/migration.js';
import { readFailure } from '../src/domain/read-failure.js';
import { handOverCopy } from './hand-over-copy.js';
import { crashedInHold, holdGuest } from './hold-guest.js';
import type { MigrationContext } from './migration-context.js';
import { revokeTarget, withoutTarget } from './undo-on-target.js';
import { admit } from './admit.js';
import { must } from './must.js';
import type { SagaStep } from './saga.js';
import type { SlotLease } from './slot-lease.js';
import { toldWhenSlow } from './told-when-slow.js';
import type { ValidGuest } from './validate-migration.js';

/** The list that the saga runs; results of earlier steps travel between them in this closure. */
export function offlineSteps(context: MigrationContext, lease: SlotLease, guest: ValidGuest): readonly SagaStep<MigrationStep>[] {
  const { migration, story, hold, cancel } = context;
  const { target, options } = migration;
  const mode = 'offline' as const;
  let claim: ClaimResult | null = null;
  let prepared: PreparedCopy | null = null;
  let heldUntil: 'released' | 'crashed' = 'released';

  const giveBack = (): Promise<void> => context.source().undo.unclaimGuest({ step: story.nextStep(), target, mode, ...withoutTarget(context) });
  const copy = async (how: { readonly final: boolean; readonly thorough?: boolean }): Promise<void> => {
    const calls = how.final ? context.source().urgent : context.source().resumable;
    const { rounds, bytesSent } = await calls.copyVolumes({
      step: story.nextStep(),
      target,
      options: { ...options, ...lease.granted },
      prepared: must(prepared),
      ...how,
    });
    story.copiedMore(rounds, bytesSent);
  };
  const verify = async (): Promise<void> => {
    await context.source().urgent.verifyCopy({ step: story.nextStep(), target, options, prepared: must(prepared) });
  };

  return [
    {
      name: 'admit',
      forward: () => admit(context, { lease, slot: guest.slot }),
      undo: () => lease.release(),
    },
    {
      name: 'claim',
      forward: async () => {
        const request = { step: story.nextStep(), target, mode, checked: guest.config };
        claim = await toldWhenSlow(context, 'claim', context.source().idempotent.claimGuest(request));
      },
      undo: giveBack,
    },
    {
      name: 'prepare',
      forward: async () => {
        const { config, wanted } = must(claim);
        const { kind, volumes } = guest;
        const { targetStorage } = options;
        prepared = await context
          .target()
          .idempotent.prepareCopy({ step: story.nextStep(), source: story.source, kind, config, wanted, volumes, targetStorage });
      },
      undo: () => revokeTarget(context),
    },
    {
      name: 'pre-sync',
      forward: async () => {
        const { holds } = hold;
        // With a hold also for a guest that is off: its disks are there when it is released.
        if (options.presync && (guest.movement === 'restart' || holds)) await copy({ final: false });
        if (!holds) return;
        await cancel.withoutDeadline(() =>
          story.duringHold(async () => {
            heldUntil = await holdGuest(context, guest.movement);
          }),
        );
        // What a running guest has written during the hold would be copied while it is off.
        if (heldUntil === 'released' && options.presync && guest.movement === 'restart') await copy({ final: false });
      },
      noUndo: 'What was copied is removed with the preparation',
    },
    {
      name: 'shutdown',
      forward: async () => {
        if (heldUntil === 'crashed') {
          // Fails here and not where it was seen: the undo of this step starts the guest again before anything on the target is removed.
          story.lostMemory();
          throw crashedInHold(context);
        }
        const { offAt, foundOff } = await context.source().urgent.shutDownGuest({ step: story.nextStep(), target, options });
        if (guest.movement !== 'restart') return;
        story.wentOff(offAt);
        // It crashed, or its node restarted: it moves as it is, and is started at the target. Its downtime counts from here only.
        if (foundOff === true) story.warn('The guest was off already when it was to be shut down: it had ended by itself, or its node had restarted');
      },
      undo: giveBack,
    },
    { name: 'final-sync', forward: () => copy({ final: true }), noUndo: 'What was copied is removed with the preparation' },
    {
      name: 'verify',
      forward: async () => {
        try {
          await verify();
        } catch (error) {
          const failure = readFailure(error);
          if (failure.answer !== 'given' || failure.code !== 'copy-differs') throw error;
          story.warn(`${failure.message}: it was copied and compared once more`);
          // What differs may look equal: a file of the same size and time.
          await copy({ final: true, thorough: true });
          await verify();
        }
      },
      noUndo: 'What was published is removed with the preparation',
    },
    { name: 'hand-over', commit: true, forward: () => handOverCopy(context), noUndo: 'It rejects only when the source has the guest as before' },
    {
      name: 'start',
      forward: async () => {
        const { startedAt } = await context.target().undo.startMoved({ step: story.nextStep() });
        if (startedAt !== null) story.cameUp(startedAt);
        else if (guest.movement === 'restart')
          story.warn(`Guest ${migration.vmid} was not started on ${target}: it is not wanted running any more, since somebody stopped it or the node rebooted`);
      },
      noUndo: 'The target owns the guest: only forward',
    },
    {
      name: 'release',
      forward: async () => {
        void lease.release();
        if (context.dead.is('source')) {
          story.warn(`Disks of guest ${migration.vmid} on local storages of ${story.source} stay there: "kedge audit" lists them when it is back`);
          return;
        }
        const { volumes } = must(prepared);
        const fate = options.keepSource ? { volumes: [], kept: volumes } : { volumes };
        await context.source().undo.releaseSource({ step: story.nextStep(), target, ...fate });
      },
      noUndo: 'The target owns the guest: only forward',
    },
  ];
}
