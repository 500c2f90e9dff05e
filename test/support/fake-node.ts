/** The activities of one node of a FakeWorld: each looks, then acts, as the real ones do. */
import { Context } from '@temporalio/activity';
import type { CopyResult, NodeActivities, StepRef } from '../../activities/interface.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { examineFakeDoubt, goOnAlone } from './fake-doubt.js';
import { fakeOfflineNode } from './fake-offline-node.js';
import type { FakeWorld } from './fake-world.js';

export type FakeNodeActivities = Omit<
  NodeActivities,
  'presence' | 'manageGuest' | 'auditNode' | 'repairNode' | 'probeNode' | 'listLostGuests' | 'takeOverLost'
>;

/** The activities over `world`, whichever node is asked. */
export function fakeNode(world: FakeWorld): FakeNodeActivities {
  const { source, target } = world;
  const own = (step: StepRef) => ({ generation: step.generation, migrationId: step.migrationId });

  return {
    inspectSource: async () => ({
      findings: [],
      guest: {
        name: 'test',
        generation: world.generation(),
        wanted: world.wanted,
        config: 'name: test',
        qemuVersion: '7.2.22',
        movement: world.movement,
        kind: 'qemu',
        runningMachine: 'pc-q35-7.2',
        memoryBytes: 1e8,
        bridges: ['vmbr0'],
        storages: [{ id: 'shared', shared: true, identity: 'one' }],
        volumes:
          world.movement === 'live'
            ? []
            : [{ volumeId: 'local:101/vm-101-disk-0.raw', storage: 'local', format: 'raw', virtualBytes: 1_000, allocatedBytes: 1_000 }],
      },
      inventory: world.inventory(source.name),
    }),
    inspectTarget: async () => ({
      findings: [],
      inventory: world.inventory(target.name),
      view: { node: target.name, bootId: 'boot', record: { kind: 'missing' }, qemu: target.qemu },
    }),
    claimGuest: async ({ step }) => {
      world.claimStep(source.name, step.sequence);
      const { record } = source;
      if (record?.state !== 'owned' || (record.migrationId !== null && record.migrationId !== step.migrationId)) {
        throw new KedgeError('guest-locked', 'Cannot claim the guest: another migration holds it');
      }
      world.setRecord(source, 'owned', { generation: step.generation - 1, migrationId: step.migrationId });
      return { generation: step.generation, wanted: world.wanted, config: 'name: test' };
    },
    unclaimGuest: async ({ step, dead }) => {
      world.claimStep(source.name, step.sequence);
      if (source.record?.migrationId !== step.migrationId) return;
      if (source.record.state === 'released' && world.lost === 'target') {
        if (dead === undefined) throw new KedgeError('peer-unreachable', 'Cannot take the guest back: the target does not answer');
        goOnAlone(world, step, 'target');
        return;
      }
      if (target.record?.state === 'owned') throw new KedgeError('cancel-refused', 'Cannot roll back: the target owns the guest');
      if (world.movement !== 'live' && source.record.state === 'released') {
        world.setRecord(target, 'revoked', own(step));
        world.change(target, { files: false, disks: 'none' });
      }
      world.setRecord(source, 'owned', { generation: step.generation + 1, migrationId: null });
      world.resume(source);
    },
    prepareTarget: async ({ step }) => {
      world.claimStep(target.name, step.sequence);
      world.setRecord(target, 'incoming', own(step));
      world.change(target, { qemu: 'inmigrate', files: true });
      return { host: '10.0.0.2', port: 60000, tlsHostname: null, multifdChannels: 1, compression: 'zstd' };
    },
    revokeTarget: async ({ step }) => {
      world.claimStep(target.name, step.sequence);
      if (world.lost === 'target') throw new KedgeError('node-silent', 'Cannot reach the target');
      world.setRecord(target, 'revoked', own(step));
      world.change(target, { qemu: 'gone', files: false, disks: 'none' });
      return { ran: 'no' };
    },
    cancelStream: async ({ step }) => {
      world.claimStep(source.name, step.sequence);
      world.streams = false;
      if (source.record?.state === 'owned') world.resume(source);
    },
    releaseHold: async () => {
      world.holdReleased = true;
      world.notice();
    },
    copyAndSwitchOver: async ({ step, options }) => {
      world.claimStep(source.name, step.sequence);
      world.streams = true;
      world.shares.push(options.bandwidthShare ?? null);
      Context.current().heartbeat({
        v: 1,
        phase: options.hold ? 'holding' : 'pre-copy',
        round: 1,
        bytesSent: 1,
        bytesLeft: 0,
        bytesTotal: 1,
        rate: 1,
        dirtyRate: 0,
        expectedBlackoutMs: 5,
        etaSeconds: 0,
        reattached: 0,
      });
      world.notice();
      if (options.hold && !world.holdReleased) await held(world);
      handOver(world, step, 'owned');
      return copyResult();
    },
    examineDoubt: async () => examineFakeDoubt(world),
    settleMigration: async ({ step, askedOn, dead }) => {
      world.claimStep(askedOn === 'source' ? source.name : target.name, step.sequence);
      if (world.lost === askedOn) throw new KedgeError('node-silent', `Cannot reach the ${askedOn}`);
      if (dead !== undefined && world.lost === dead) return goOnAlone(world, step, dead);
      if (world.lost !== null) throw new KedgeError('outcome-unknown', `Cannot settle: the ${world.lost} does not answer`);
      if (target.record?.state === 'owned') return { outcome: 'target-owns', memoryLost: false, blackout: null };
      if (askedOn === 'target') throw new KedgeError('outcome-unknown', 'Cannot settle alone: the source may not have sent go');
      if (source.record?.state === 'released') {
        handOver(world, step, 'owned');
        return { outcome: 'target-owns', memoryLost: false, blackout: null };
      }
      world.streams = false;
      world.setRecord(source, 'owned', { generation: step.generation - 1, migrationId: step.migrationId });
      world.resume(source);
      return { outcome: 'source-owns', memoryLost: false, reason: 'The copy never got to its end' };
    },
    confirmTarget: async ({ step }) => {
      world.claimStep(target.name, step.sequence);
      if (target.record?.state !== 'owned') throw new KedgeError('not-owner', 'Cannot confirm: the target does not own the guest');
      return { announced: true };
    },
    ...fakeOfflineNode(world),
    releaseSource: async ({ step, volumes, kept = [] }) => {
      world.claimStep(source.name, step.sequence);
      if (target.record?.state !== 'owned') throw new KedgeError('not-owner', 'Cannot release the source: the target does not own the guest');
      world.streams = false;
      world.keptNoted = kept.length > 0;
      world.setRecord(source, 'released', { generation: step.generation - 1, migrationId: step.migrationId });
      world.change(source, { qemu: 'gone', files: false, ...(volumes === undefined || volumes.length === 0 ? {} : { disks: 'none' as const }) });
    },
  };
}

/** How far a hand-over gets. */
export type HandOverStage = 'releasing' | 'released' | 'owned';

/** Goes on with the hand-over from wherever it stands, up to `stage`. */
export function handOver(world: FakeWorld, step: StepRef, stage: HandOverStage): void {
  const { source, target } = world;
  const ended = { generation: step.generation - 1, migrationId: step.migrationId };
  if (target.record?.state === 'owned') return;
  world.change(source, { qemu: 'postmigrate' });
  world.setRecord(source, 'releasing', ended);
  world.setRecord(target, 'armed', { generation: step.generation, migrationId: step.migrationId });
  world.change(target, { qemu: 'loaded' });
  if (stage === 'releasing') return;
  world.setRecord(source, 'released', ended);
  if (stage === 'released') return;
  world.setRecord(target, 'owned', { generation: step.generation, migrationId: null });
  world.resume(target);
}

/** Waits for the release, with heartbeats that bring a cancel. */
async function held(world: FakeWorld): Promise<void> {
  const context = Context.current();
  const beat = setInterval(
    () =>
      context.heartbeat({
        v: 1,
        phase: 'holding',
        round: 2,
        bytesSent: 1,
        bytesLeft: 0,
        bytesTotal: 1,
        rate: 1,
        dirtyRate: 0,
        expectedBlackoutMs: 5,
        etaSeconds: null,
        reattached: 0,
      }),
    50,
  );
  try {
    await Promise.race([world.until(() => world.holdReleased), context.cancelled]);
  } catch (error) {
    world.streams = false;
    throw new KedgeError('cancelled', 'The copy was cancelled before its switchover', { cause: error });
  } finally {
    clearInterval(beat);
  }
}

function copyResult(): CopyResult {
  return {
    rounds: [{ round: 1, bytesLeft: 0, bytesSent: 1_000, durationMs: 5 }],
    bytesSent: 1_000,
    reattached: 0,
    expectedBlackoutMs: 5,
    blackout: { stopToResumeMs: 6, qemuDowntimeMs: 5 },
    switchoverAt: new Date().toISOString(),
    switchoverMs: 7,
    confirmed: true,
  };
}
