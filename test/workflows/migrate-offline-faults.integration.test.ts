import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { handOverOffline } from '../support/fake-offline-node.js';
import { assertExactlyOneRunner, assertNothingLeftBehind } from '../support/invariants.js';
import { after, fails, failsAfter, failsBefore, runsTwice, type FakeActivityName, type Outcome, type Outcomes } from '../support/outcomes.js';
import { startSagaHarness, type SagaHarness, type SagaRun, type StartOptions } from '../support/saga-harness.js';

let harness: SagaHarness;
beforeAll(async () => {
  harness = await startSagaHarness();
});
afterAll(() => harness.stop());

type Way = 'restart' | 'offline';
const WAYS: readonly Way[] = ['restart', 'offline'];
const STEPS = ['claimGuest', 'prepareCopy', 'copyVolumes', 'shutDownGuest', 'verifyCopy', 'handOverCopy', 'startMoved', 'releaseSource'] as const;
const UNDOS = ['unclaimGuest', 'revokeTarget'] as const;

const start = (way: Way, outcomes: Outcomes, options: StartOptions = {}): Promise<SagaRun> =>
  harness.start({ movement: way, wanted: way === 'restart' ? 'running' : 'stopped', outcomes, ...options, options: { restart: way === 'restart' } });

async function assertMoved(run: SagaRun): Promise<readonly string[]> {
  const view = await run.ended();
  expect(view.failure).toBeNull();
  expect(view.story?.outcome).toBe('migrated');
  expect(run.world.target.record?.state).toBe('owned');
  assertExactlyOneRunner(run.world);
  assertNothingLeftBehind(run.world);
  return view.story?.warnings ?? [];
}

/** `code`: what went wrong first. */
async function assertRolledBack(run: SagaRun, code: string): Promise<void> {
  const view = await run.ended();
  expect(view.failure?.details).toMatchObject({ cause: { code } });
  expect(view.story?.outcome).toBe('rolled-back');
  expect(run.world.source.record?.state).toBe('owned');
  assertExactlyOneRunner(run.world);
  assertNothingLeftBehind(run.world);
}

/** Acts as planned only once the guest is off: for the pass after the shutdown. */
function onceOff(outcome: Outcome, times = outcome.times): Outcome {
  let left = times;
  return {
    times: Number.POSITIVE_INFINITY,
    act: (call) => {
      if (call.world.source.record?.state !== 'releasing' || left === 0) return call.effect();
      left -= 1;
      return outcome.act(call);
    },
  };
}

describe.concurrent.each(WAYS)('each step of a %s migration twice', (way) => {
  test.for(['inspectSource', 'inspectTarget', ...STEPS] as const)('%s whose worker dies after its effect is repeated and the guest moves', async (name) => {
    await assertMoved(await start(way, { [name]: runsTwice }));
  });

  test('the pass after the shutdown, too', async () => {
    await assertMoved(await start(way, { copyVolumes: onceOff(runsTwice) }));
  });

  test.for(['armed', 'released', 'owned'] as const)('a hand-over whose answer is lost at "%s" goes on where it stood', async (stage) => {
    await assertMoved(await start(way, { handOverCopy: after((world, step) => handOverOffline(world, step, stage), 'outcome-unknown') }));
  });
});

describe.concurrent.each(WAYS)('a %s migration fails', (way) => {
  const moments = { before: failsBefore, after: failsAfter };
  test.for(
    (['claimGuest', 'prepareCopy', 'copyVolumes', 'shutDownGuest', 'verifyCopy'] as const).flatMap((name) => [
      [name, 'before'] as const,
      [name, 'after'] as const,
    ]),
  )('at %s, %s its effect: the guest is as before and nothing is left', async ([name, moment]) => {
    await assertRolledBack(await start(way, { [name]: moments[moment] }), 'qmp-error');
  });

  test.for(['before', 'after'] as const)('at the pass after the shutdown, %s its effect', async (moment) => {
    await assertRolledBack(await start(way, { copyVolumes: onceOff(moments[moment]) }), 'qmp-error');
  });

  test.for(['no-space', 'copy-refused', 'storage-failed'] as const)('with %s in a pass: rolled back with its reason', async (code) => {
    await assertRolledBack(await start(way, { copyVolumes: onceOff(fails(code, 1_000)) }), code);
  });

  test('at the hand-over because the target refuses', async () => {
    const run = await start(way, { handOverCopy: fails('rolled-back') });
    await assertRolledBack(run, 'rolled-back');
    expect(run.world.calls.filter((name) => name === 'handOverCopy')).toHaveLength(1);
  });

  test.for(['peer-unreachable', 'copy-failed'] as const)('for a while with %s and the guest moves all the same', async (code) => {
    await assertMoved(await start(way, { copyVolumes: onceOff(fails(code), 4), verifyCopy: fails('peer-unreachable', 4), handOverCopy: fails(code, 4) }));
  });

  test('at the start: the operator is asked, and a retry ends it', async () => {
    const run = await start(way, { startMoved: fails('qemu-start-failed') });
    const { story } = await run.seen((view) => view.phase === 'needs-operator');
    expect(story?.question).toMatchObject({ step: 'start', code: 'qemu-start-failed' });
    await harness.kedge.decideMigration(run.ref, 'retry');
    await assertMoved(run);
  });

  test.for([failsBefore, failsAfter])('at the release: the operator is asked, and a retry ends it', async (outcome) => {
    const run = await start(way, { releaseSource: outcome });
    await run.seen((view) => view.phase === 'needs-operator');
    await harness.kedge.decideMigration(run.ref, 'retry');
    await assertMoved(run);
  });
});

describe.concurrent('a running guest', () => {
  test('that does not shut down runs on', async () => {
    const run = await start('restart', { shutDownGuest: fails('shutdown-timeout') });
    expect((await run.ended()).failure?.code).toBe('shutdown-timeout');
    await assertRolledBack(run, 'shutdown-timeout');
    expect(run.world.calls).not.toContain('verifyCopy');
  });

  test('that crashes while it is copied moves as it is, is started at its target, and says so', async () => {
    const crashed = after((world) => world.change(world.source, { qemu: 'gone' }), 'copy-failed');
    expect((await assertMoved(await start('restart', { copyVolumes: crashed }))).join()).toContain('off already');
  });

  test('is copied before its shutdown for as long as it takes', async () => {
    await assertMoved(await start('restart', { copyVolumes: fails('copy-failed', 25) }));
  });

  test('is started again when the pass after its shutdown fails too often', async () => {
    await assertRolledBack(await start('restart', { copyVolumes: onceOff(fails('copy-failed', 1_000)) }), 'copy-failed');
  });
});

describe.concurrent.each(WAYS)('a %s migration whose copy differs', (way) => {
  test('once: is copied and compared again, and says so', async () => {
    const run = await start(way, { verifyCopy: fails('copy-differs') });
    expect((await assertMoved(run)).join()).toContain('copied and compared once more');
    // Only then is it worth its time to read every file on both sides.
    expect(run.world.thoroughCopies).toBe(1);
    const fromVerify = run.world.calls.slice(run.world.calls.indexOf('verifyCopy'));
    expect(fromVerify.slice(0, 3)).toEqual(['verifyCopy', 'copyVolumes', 'verifyCopy']);
  });

  test('twice: is rolled back, nothing is handed over', async () => {
    const run = await start(way, { verifyCopy: fails('copy-differs', 2) });
    await assertRolledBack(run, 'copy-differs');
    expect(run.world.calls).not.toContain('handOverCopy');
  });
});

describe.concurrent.each(WAYS)('each undo of a %s migration', (way) => {
  const broken = (undo: FakeActivityName, outcome: Outcome): Outcomes => ({ verifyCopy: fails('storage-failed', 1_000), [undo]: outcome });

  test.for(UNDOS)('%s twice', async (undo) => {
    await assertRolledBack(await start(way, broken(undo, runsTwice)), 'storage-failed');
  });

  test.for(UNDOS)('%s with retryable errors is repeated until it succeeds', async (undo) => {
    await assertRolledBack(await start(way, broken(undo, fails('peer-unreachable', 4))), 'storage-failed');
  });

  test.for(UNDOS.flatMap((undo) => [[undo, 'before', failsBefore] as const, [undo, 'after', failsAfter] as const]))(
    'an error inside %s, %s its effect, asks the operator, and a retry undoes the rest',
    async ([undo, , outcome]) => {
      const run = await start(way, broken(undo, outcome));
      expect((await run.seen((view) => view.phase === 'needs-operator')).story?.question?.code).toBe('qmp-error');
      await harness.kedge.decideMigration(run.ref, 'retry');
      await assertRolledBack(run, 'storage-failed');
    },
  );

  test('the guest is taken back before anything on the target is removed', async () => {
    const run = await start(way, broken('revokeTarget', runsTwice));
    await assertRolledBack(run, 'storage-failed');
    expect(run.world.calls.indexOf('unclaimGuest')).toBeLessThan(run.world.calls.indexOf('revokeTarget'));
  });
});

describe.concurrent.each(WAYS)('a %s migration whose hand-over nobody can tell the end of', (way) => {
  const silent = (stage: 'armed' | 'released', isBack: () => boolean = () => false): Outcome => ({
    times: 100_000,
    act: async ({ world, step, effect }) => {
      if (isBack()) return effect();
      if (step !== null) handOverOffline(world, step, stage);
      throw new KedgeError('peer-unreachable', 'The target is silent');
    },
  });
  const timings = { stepTimeoutMs: 400, askOperatorAfterMs: 300 };

  test.for(['armed', 'released'] as const)('at "%s" is tried on beside the question, and goes on by itself when the nodes are back', async (stage) => {
    let back = false;
    const run = await start(way, { handOverCopy: silent(stage, () => back) }, { timings });
    const { story } = await run.seen((view) => view.phase === 'needs-operator');
    expect(story?.question?.step).toBe('hand-over');
    back = true;
    await assertMoved(run);
  });

  test.for(['armed', 'released'] as const)('at "%s" is rolled back on the word of the operator', async (stage) => {
    const run = await start(way, { handOverCopy: silent(stage) }, { timings });
    await run.seen((view) => view.phase === 'needs-operator');
    await harness.kedge.decideMigration(run.ref, 'skip');
    await assertRolledBack(run, 'rolled-back');
  });

  test('is left as it stands when the operator abandons it', async () => {
    const run = await start(way, { handOverCopy: silent('armed') }, { timings });
    await run.seen((view) => view.phase === 'needs-operator');
    await harness.kedge.decideMigration(run.ref, 'abandon');
    expect((await run.ended()).failure?.code).toBe('needs-operator');
    expect(run.world.source).toMatchObject({ record: { state: 'releasing' }, disks: 'own' });
    expect(run.world.violations).toEqual([]);
  });
});
