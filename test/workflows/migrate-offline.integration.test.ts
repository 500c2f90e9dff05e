import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MigrationKind } from '../../src/domain/migration.js';
import type { Wanted } from '../../src/domain/ownership.js';
import { assertExactlyOneRunner, assertNothingLeftBehind } from '../support/invariants.js';
import { fails, lastsUntilCancelled, waitsFor, type FakeActivityName } from '../support/outcomes.js';
import { startSagaHarness, type SagaHarness, type SagaRun, type StartOptions } from '../support/saga-harness.js';

let harness: SagaHarness;
beforeAll(async () => {
  harness = await startSagaHarness();
});
afterAll(() => harness.stop());

/** How a guest moves whose disks are copied, and what it shall do. */
const WAYS: readonly (readonly [MigrationKind & ('restart' | 'offline'), Wanted])[] = [
  ['restart', 'running'],
  ['offline', 'stopped'],
];

const start = (movement: MigrationKind, wanted: Wanted, options: StartOptions = {}): Promise<SagaRun> =>
  harness.start({ movement, wanted, ...options, options: { restart: movement === 'restart', ...options.options } });

function assertEnds(run: SagaRun, where: 'node1' | 'node2', kept = {}): void {
  const { world } = run;
  assertExactlyOneRunner(world);
  assertNothingLeftBehind(world, kept);
  expect((where === 'node1' ? world.source : world.target).record?.state).toBe('owned');
}

test.concurrent('a restart migration whose guest crashes in its hold ends, and the guest is started where it was', async () => {
  const run = await start('restart', 'running', { options: { hold: true } });
  await run.seen((view) => view.phase === 'holding');
  run.world.change(run.world.source, { qemu: 'gone' });
  const { story, failure } = await run.ended();
  expect(failure).toMatchObject({ code: 'rolled-back', details: { cause: { code: 'guest-state' } } });
  expect(failure?.message).toContain('while it was held');
  expect(story).toMatchObject({ outcome: 'guest-lost-memory' });
  expect(story?.steps.find(({ step }) => step === 'shutdown')).toMatchObject({ outcome: 'failed', failure: { code: 'guest-state' } });
  // Its time off counts most: it runs again before anything on the target is removed.
  const undone = run.world.calls.filter((name) => name === 'unclaimGuest' || name === 'revokeTarget');
  expect(undone).toEqual(['unclaimGuest', 'revokeTarget', 'unclaimGuest']);
  expect(run.world.calls).not.toContain('shutDownGuest');
  assertEnds(run, 'node1');
});

test.concurrent('a restart migration whose guest shuts itself down in its hold tells so, holds on, and moves it once it is released', async () => {
  const run = await start('restart', 'running', { options: { hold: true }, outcomes: { startMoved: { times: 1, act: async () => ({ startedAt: null }) } } });
  await run.seen((view) => view.phase === 'holding');
  run.world.shutsItselfDown();
  const { story } = await run.seen((view) => (view.story?.warnings.length ?? 0) > 0);
  expect(story).toMatchObject({ phase: 'holding', warnings: [expect.stringContaining('has shut itself down')] });
  await harness.kedge.releaseMigration(run.ref);
  expect((await run.ended()).story).toMatchObject({ outcome: 'migrated', downtimeMs: null });
  expect(run.world.source.record?.state).toBe('released');
});

test.concurrent('a hold goes on while nobody can tell of its guest, and ends with its release', async () => {
  const run = await start('restart', 'running', { options: { hold: true }, outcomes: { watchHeldGuest: fails('qmp-disconnected', 1_000) } });
  await run.seen((view) => view.activities.some(({ name, attempt }) => name === 'watchHeldGuest' && attempt > 3));
  await harness.kedge.releaseMigration(run.ref);
  expect((await run.ended()).story?.outcome).toBe('migrated');
  assertEnds(run, 'node2');
});

test.concurrent('a restart migration whose guest is not wanted running any more when it comes to its start says so', async () => {
  const run = await start('restart', 'running', { outcomes: { startMoved: { times: 1, act: async () => ({ startedAt: null }) } } });
  const { story } = await run.ended();
  expect(story).toMatchObject({ outcome: 'migrated', downtimeMs: null });
  expect(story?.warnings.join()).toContain('was not started on node2');
});

describe.concurrent.each(WAYS)('a %s migration', (movement, wanted) => {
  test('moves the guest with its disks and tells the whole story', async () => {
    const run = await start(movement, wanted);
    const { story } = await run.ended();
    expect(story).toMatchObject({ outcome: 'migrated', kind: movement, blackout: null });
    const steps = ['validate', 'admit', 'claim', 'prepare', 'pre-sync', 'shutdown', 'final-sync', 'verify', 'hand-over', 'start', 'release'];
    expect(story?.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(steps.map((step) => `${step} done`));
    expect(story?.rounds.map(({ round }) => round)).toEqual(movement === 'restart' ? [1, 2] : [1]);
    expect(story?.downtimeMs).toEqual(movement === 'restart' ? expect.any(Number) : null);
    assertEnds(run, 'node2');
  });

  test('leaves the disks of the source where it was asked to', async () => {
    const run = await start(movement, wanted, { options: { keepSource: true } });
    expect((await run.ended()).story?.outcome).toBe('migrated');
    assertEnds(run, 'node2', { keptSource: true });
  });

  test('copies once without the passes before the shutdown', async () => {
    const run = await start(movement, wanted, { options: { presync: false } });
    expect((await run.ended()).story?.rounds).toHaveLength(1);
    assertEnds(run, 'node2');
  });

  test('copies, waits for its release before the shutdown, and shuts down then', async () => {
    const run = await start(movement, wanted, { options: { hold: true } });
    await run.seen((view) => view.phase === 'holding');
    expect(run.world.calls).toContain('copyVolumes');
    expect(run.world.calls).not.toContain('shutDownGuest');
    expect(run.world.source.record?.state).toBe('owned');
    await harness.kedge.releaseMigration(run.ref);
    expect((await run.ended()).story?.outcome).toBe('migrated');
    expect(run.world.calls.filter((name) => name === 'copyVolumes')).toHaveLength(movement === 'restart' ? 3 : 2);
    assertEnds(run, 'node2');
  });

  test('ends its hold at the instant', async () => {
    const run = await start(movement, wanted, { options: { hold: true, holdUntil: new Date(Date.now() + 1_000).toISOString() } });
    expect((await run.ended()).story?.outcome).toBe('migrated');
    assertEnds(run, 'node2');
  });

  test('does not count its hold against the deadline, but what comes after it', async () => {
    const run = await start(movement, wanted, { options: { hold: true, timeoutMs: 2_500 }, outcomes: { verifyCopy: lastsUntilCancelled } });
    await run.seen((view) => view.phase === 'holding');
    // A time must pass: that it does not count is what is tested.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await harness.kedge.showMigration(run.ref)).phase).toBe('holding');
    await harness.kedge.releaseMigration(run.ref);
    expect((await run.ended()).failure?.code).toBe('deadline-exceeded');
    assertEnds(run, 'node1');
  });

  test('is cancelled in its hold', async () => {
    const run = await start(movement, wanted, { options: { hold: true } });
    await run.seen((view) => view.phase === 'holding');
    await harness.kedge.cancelMigration(run.ref);
    expect((await run.ended()).story?.outcome).toBe('cancelled');
    assertEnds(run, 'node1');
  });

  test.for(['copyVolumes', 'shutDownGuest', 'verifyCopy'] as const)('is cancelled while %s lasts, and the guest is as before', async (name) => {
    const run = await start(movement, wanted, { outcomes: { [name]: lastsUntilCancelled } });
    await run.world.until(() => run.world.calls.includes(name));
    await harness.kedge.cancelMigration(run.ref);
    expect((await run.ended()).story?.outcome).toBe('cancelled');
    assertEnds(run, 'node1');
  });

  test.for([
    ['claimGuest', 'node1'],
    ['prepareCopy', 'node1'],
    ['handOverCopy', 'node2'],
    ['startMoved', 'node2'],
    ['releaseSource', 'node2'],
  ] as const)('that is cancelled during %s ends at %s', async ([name, where]) => {
    const { opened, open } = gate();
    const run = await start(movement, wanted, { outcomes: { [name]: waitsFor(opened) } });
    await run.world.until(() => run.world.calls.includes(name));
    const cancel = harness.kedge.cancelMigration(run.ref).then(
      () => 'cancelled',
      (error: unknown) => error,
    );
    await cancelArrived(run, name);
    open();
    if (where === 'node1') expect(await cancel).toBe('cancelled');
    else expect(await cancel).toMatchObject({ code: 'cancel-refused' });
    expect((await run.ended()).story?.outcome).toBe(where === 'node1' ? 'cancelled' : 'migrated');
    assertEnds(run, where);
  });
});

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** After the commit step a cancel is refused at once; before it, the call that runs is asked to end. */
async function cancelArrived(run: SagaRun, name: FakeActivityName): Promise<void> {
  if (name === 'startMoved' || name === 'releaseSource') return;
  await run.seen((view) => view.activities.some((activity) => activity.state === 'cancel-requested'));
}
