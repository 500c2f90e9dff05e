/** A FakeWorld one of whose nodes is lost: what the other one knows, and how it goes on alone. */
import type { DoubtExamination, SettledMigration, StepRef } from '../../activities/interface.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { parseGeneration } from '../../src/domain/ids.js';
import type { FakeSide, FakeWorld } from './fake-world.js';

export async function examineFakeDoubt(world: FakeWorld): Promise<DoubtExamination> {
  const left = world.lost === 'source' ? world.target : world.source;
  return {
    view: { node: left.name, bootId: 'boot', record: recordOf(world, left), qemu: left.qemu },
    peer: world.lost === null ? { node: left.name, bootId: 'boot', record: { kind: 'missing' }, qemu: 'gone' } : null,
    alone: { possible: true, what: `the guest goes on at ${left.name}` },
  };
}

/** Only whether it owns the guest is told. */
function recordOf({ vmid, wanted }: FakeWorld, { record }: FakeSide): DoubtExamination['view']['record'] {
  if (record?.state !== 'owned') return { kind: 'missing' };
  return { kind: 'record', record: { vmid, kind: 'qemu', generation: parseGeneration(record.generation), wanted, bootId: 'boot', state: 'owned' } };
}

/** The lost node is off: its process is gone, its record void. A start from disk on the other one, under the generation that is its own. */
export function goOnAlone(world: FakeWorld, step: StepRef, lost: 'source' | 'target'): SettledMigration {
  const [side, left] = lost === 'source' ? [world.source, world.target] : [world.target, world.source];
  if (world.voided.length === 0) throw new KedgeError('internal', 'The test sees a node go on before the other one was made void');
  world.change(side, { qemu: 'gone', files: false });
  world.setRecord(side, 'revoked', { generation: step.generation, migrationId: step.migrationId });
  world.setRecord(left, 'owned', { generation: step.generation + (lost === 'source' ? 2 : 1), migrationId: null });
  world.resume(left);
  world.streams = false;
  return lost === 'source'
    ? { outcome: 'target-owns', memoryLost: true, blackout: null }
    : { outcome: 'source-owns', memoryLost: true, reason: 'The target is off' };
}
