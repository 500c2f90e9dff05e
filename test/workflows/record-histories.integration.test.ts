import { afterAll, beforeAll, describe, test } from 'vitest';
import { handOver } from '../support/fake-node.js';
import { after, fails } from '../support/outcomes.js';
import { recordHistory } from '../support/record-history.js';
import { guest, LOST, refusal, startRecoveryHarness, TAKEN, type RecoveryHarness } from '../support/recovery-harness.js';
import { startSagaHarness, type SagaHarness, type StartOptions } from '../support/saga-harness.js';
import { fenceWorkflowId, recoveryWorkflowId } from '../../src/domain/workflow-names.js';

/** Run by a person, with KEDGE_RECORD_HISTORIES=1, when a released shape is new; the replay test runs always. */
describe.runIf(process.env['KEDGE_RECORD_HISTORIES'] === '1')('recording histories', () => {
  let harness: SagaHarness;
  beforeAll(async () => {
    harness = await startSagaHarness();
  });
  afterAll(() => harness.stop());

  const lost = after((world, step) => handOver(world, step, 'released'), 'outcome-unknown');
  const failed = after((world) => (world.streams = true), 'stream-failed');
  test.for<[string, StartOptions]>([
    ['live-migration', {}],
    ['live-migration-with-deadline', { options: { timeoutMs: 60_000 } }],
    ['live-migration-rolled-back', { outcomes: { copyAndSwitchOver: failed } }],
    ['live-migration-settled', { outcomes: { copyAndSwitchOver: lost } }],
    ['offline-migration', { movement: 'offline', wanted: 'stopped' }],
    ['restart-migration', { movement: 'restart', options: { restart: true, timeoutMs: 60_000 } }],
    ['restart-migration-copied-twice', { movement: 'restart', options: { restart: true }, outcomes: { verifyCopy: fails('copy-differs') } }],
    ['restart-migration-rolled-back', { movement: 'restart', options: { restart: true }, outcomes: { verifyCopy: fails('copy-differs', 2) } }],
    ['restart-migration-insisted', { movement: 'restart', options: { restart: true }, outcomes: { handOverCopy: fails('peer-refused') } }],
  ])('%s', async ([name, options]) => {
    const run = await harness.start(options);
    await run.ended();
    await recordHistory(harness.client, { workflowId: run.ref.workflowId, name });
  });

  test('live-migration-cancelled-in-hold', async () => {
    const run = await harness.start({ options: { hold: true } });
    await run.seen((view) => view.phase === 'holding');
    await harness.kedge.cancelMigration(run.ref);
    await run.ended();
    await recordHistory(harness.client, { workflowId: run.ref.workflowId, name: 'live-migration-cancelled-in-hold' });
  });

  test('restart-migration-crashed-in-hold', async () => {
    const run = await harness.start({ movement: 'restart', options: { restart: true, hold: true } });
    await run.seen((view) => view.phase === 'holding');
    run.world.change(run.world.source, { qemu: 'gone' });
    await run.ended();
    await recordHistory(harness.client, { workflowId: run.ref.workflowId, name: 'restart-migration-crashed-in-hold' });
  });

  test.for<[string, StartOptions]>([
    ['restart-migration-watched-and-released', { movement: 'restart', options: { restart: true, hold: true, timeoutMs: 60_000 } }],
    ['live-migration-released', { options: { hold: true } }],
    ['restart-migration-released', { movement: 'restart', options: { restart: true, hold: true, timeoutMs: 60_000 } }],
  ])('%s', async ([name, options]) => {
    const run = await harness.start(options);
    await run.seen((view) => view.phase === 'holding');
    await harness.kedge.releaseMigration(run.ref);
    await run.ended();
    await recordHistory(harness.client, { workflowId: run.ref.workflowId, name });
  });
});

describe.runIf(process.env['KEDGE_RECORD_HISTORIES'] === '1')('recording histories of recoveries', () => {
  let harness: RecoveryHarness;
  beforeAll(async () => {
    harness = await startRecoveryHarness();
  });
  afterAll(() => harness.stop());

  test('recovery', async () => {
    const world = await harness.reset();
    await harness.begin();
    await harness.seen(({ taken }) => taken.length > 0);
    world.silent.clear();
    await harness.seen(({ phase }) => phase === 'back');
    await recordHistory(harness.client, { workflowId: recoveryWorkflowId(LOST), name: 'recovery' });
    await recordHistory(harness.client, { workflowId: fenceWorkflowId(0), name: 'fence' });
  });

  /** `recovery-of-several-one-by-one` is of the shape before `several-lost-at-once`. */
  test('recovery-of-several', async () => {
    const world = await harness.reset();
    world.guests = [guest(101), guest(102), guest(103, { startOrder: 1 }), guest(104)];
    let isRefused = false;
    world.take = (_, { vmid }) => {
      if (vmid === 102 && !isRefused) {
        isRefused = true;
        return refusal('not now');
      }
      world.guests = world.guests.filter((other) => other.vmid !== vmid);
      return TAKEN;
    };
    await harness.begin();
    await harness.seen(({ taken }) => taken.length === 4);
    world.silent.clear();
    await harness.seen(({ phase }) => phase === 'back');
    await recordHistory(harness.client, { workflowId: recoveryWorkflowId(LOST), name: 'recovery-of-several' });
  });

  test('recovery-settled', async () => {
    const world = await harness.reset();
    world.take = () => refusal('not now');
    await harness.begin();
    await harness.seen(({ owed }) => owed.length > 0);
    harness.comesBack();
    await harness.seen(({ phase }) => phase === 'settling');
    world.take = () => TAKEN;
    await harness.seen(({ phase }) => phase === 'back');
    await recordHistory(harness.client, { workflowId: recoveryWorkflowId(LOST), name: 'recovery-settled' });
  });
});
