/** The activities of a migration whose guest is off when it changes hands, over a FakeWorld: each looks, then acts, as the real ones do. */
import { Context } from '@temporalio/activity';
import type { NodeActivities, StepRef } from '../../activities/interface.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { goOnAlone } from './fake-doubt.js';
import type { FakeWorld } from './fake-world.js';

type OfflineNames = 'prepareCopy' | 'copyVolumes' | 'shutDownGuest' | 'verifyCopy' | 'handOverCopy' | 'takeOverCopy' | 'startMoved' | 'watchHeldGuest';
const VOLUME = { from: 'local:101/vm-101-disk-0.raw', to: 'local:101/vm-101-disk-0.raw', kind: 'file', allocatedBytes: 1_000 } as const;

export function fakeOfflineNode(world: FakeWorld): Pick<NodeActivities, OfflineNames> {
  const { source, target } = world;
  const ended = (step: StepRef) => ({ generation: step.generation - 1, migrationId: step.migrationId });
  const isOurs = (step: StepRef): boolean => source.record?.migrationId === step.migrationId;

  return {
    prepareCopy: async ({ step }) => {
      world.claimStep(target.name, step.sequence);
      world.setRecord(target, 'incoming', { generation: step.generation, migrationId: step.migrationId });
      world.change(target, { files: true });
      return { volumes: [VOLUME], rsync: { version: '3.4.1', compression: ['zstd', 'lz4'] } };
    },
    copyVolumes: async ({ step, options, final, thorough }) => {
      world.shares.push(options.bandwidthShare ?? null);
      world.claimStep(source.name, step.sequence);
      if (!isOurs(step) || (final && source.record?.state !== 'releasing')) throw new KedgeError('rolled-back', 'Cannot copy: the guest is not ours');
      if (thorough === true) world.thoroughCopies += 1;
      world.change(target, { disks: final ? 'equal' : 'seed' });
      return { rounds: [{ round: 1, bytesLeft: 0, bytesSent: 1_000, durationMs: 5 }], bytesSent: 1_000 };
    },
    watchHeldGuest: async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 50);
      const ended = world.until(() => source.qemu === 'gone').then(() => ({ wanted: world.wanted }));
      return Promise.race([ended, context.cancelled]).finally(() => clearInterval(beat));
    },
    shutDownGuest: async ({ step }) => {
      world.claimStep(source.name, step.sequence);
      if (!isOurs(step)) throw new KedgeError('rolled-back', 'Cannot shut down: the guest is not ours');
      const foundOff = source.record?.state === 'owned' && source.qemu === 'gone';
      world.change(source, { qemu: 'gone' });
      world.setRecord(source, 'releasing', ended(step));
      return { offAt: new Date().toISOString(), ...(foundOff ? { foundOff } : {}) };
    },
    verifyCopy: async ({ step }) => {
      world.claimStep(source.name, step.sequence);
      if (target.disks !== 'equal' && target.disks !== 'published') throw new KedgeError('copy-differs', 'Cannot hand over: the copy differs');
      world.change(target, { disks: 'published' });
      return { verified: 1 };
    },
    handOverCopy: async ({ step }) => {
      world.claimStep(source.name, step.sequence);
      if (world.lost !== null) throw new KedgeError(world.lost === 'source' ? 'node-silent' : 'peer-unreachable', `The ${world.lost} does not answer`);
      handOverOffline(world, step, 'owned');
    },
    takeOverCopy: async ({ step }) => {
      world.claimStep(target.name, step.sequence);
      goOnAlone(world, step, 'source');
      return { startedAt: world.wanted === 'stopped' ? null : new Date().toISOString() };
    },
    startMoved: async ({ step }) => {
      world.claimStep(target.name, step.sequence);
      if (target.record?.state !== 'owned') throw new KedgeError('outcome-unknown', 'Cannot start: the target does not own the guest');
      if (world.wanted === 'stopped') return { startedAt: null };
      world.resume(target);
      return { startedAt: new Date().toISOString() };
    },
  };
}

/** Goes on with the hand-over from wherever it stands, up to `stage`. */
export function handOverOffline(world: FakeWorld, step: StepRef, stage: 'armed' | 'released' | 'owned'): void {
  const { source, target } = world;
  if (target.record?.state === 'owned') return;
  if (source.record?.migrationId !== step.migrationId || target.disks !== 'published')
    throw new KedgeError('rolled-back', 'Cannot hand over: the target refuses it');
  world.setRecord(target, 'armed', { generation: step.generation, migrationId: step.migrationId });
  if (stage === 'armed') return;
  world.setRecord(source, 'released', { generation: step.generation - 1, migrationId: step.migrationId });
  if (stage === 'released') return;
  world.setRecord(target, 'owned', { generation: step.generation, migrationId: null });
}
