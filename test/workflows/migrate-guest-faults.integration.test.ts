import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handOver, type HandOverStage } from '../support/fake-node.js';
import { assertExactlyOneRunner, assertNothingLeftBehind } from '../support/invariants.js';
import { after, fails, failsAfter, failsBefore, runsTwice, type FakeActivityName, type Outcomes } from '../support/outcomes.js';
import { startSagaHarness, type SagaHarness, type SagaRun } from '../support/saga-harness.js';

let harness: SagaHarness;
beforeAll(async () => {
  harness = await startSagaHarness();
});
afterAll(() => harness.stop());

/** The answer of a copy that got so far before it was lost. */
const lostAt = (stage: HandOverStage | 'copying') =>
  after((world, step) => (stage === 'copying' ? (world.streams = true) : handOver(world, step, stage)), 'outcome-unknown');

async function assertMoved(run: SagaRun): Promise<void> {
  const view = await run.ended();
  expect(view.failure).toBeNull();
  expect(view.story?.outcome).toBe('migrated');
  expect(run.world.runners()).toEqual(['node2']);
  assertExactlyOneRunner(run.world);
  assertNothingLeftBehind(run.world);
}

async function assertRolledBack(run: SagaRun, code: string): Promise<void> {
  const view = await run.ended();
  expect(view.failure?.code).toBe(code);
  expect(view.story?.outcome).toBe('rolled-back');
  expect(run.world.runners()).toEqual(['node1']);
  assertExactlyOneRunner(run.world);
  assertNothingLeftBehind(run.world);
}

describe.concurrent('each step twice', () => {
  const steps: FakeActivityName[] = ['inspectSource', 'inspectTarget', 'claimGuest', 'prepareTarget', 'copyAndSwitchOver', 'releaseSource'];
  test.for(steps)('%s whose worker dies after its effect is repeated and the guest moves', async (name) => {
    await assertMoved(await harness.start({ outcomes: { [name]: runsTwice } }));
  });

  test.for(['releasing', 'released', 'owned'] as const)('a copy whose worker dies at "%s" goes on where it stood', async (stage) => {
    const dies = { times: 1, act: runsTwice.act };
    const outcome = {
      ...dies,
      act: async (call: Parameters<typeof dies.act>[0]) =>
        dies.act({ ...call, effect: async () => call.step !== null && handOver(call.world, call.step, stage) }),
    };
    await assertMoved(await harness.start({ outcomes: { copyAndSwitchOver: outcome } }));
  });
});

describe.concurrent('fails at each step', () => {
  const moments = { before: failsBefore, after: failsAfter };
  test.for([
    ['claimGuest', 'before', 'qmp-error'],
    ['claimGuest', 'after', 'qmp-error'],
    ['prepareTarget', 'before', 'rolled-back'],
    ['prepareTarget', 'after', 'rolled-back'],
  ] as const)('%s failing %s its effect leaves the guest on the source', async ([name, moment, code]) => {
    await assertRolledBack(await harness.start({ outcomes: { [name]: moments[moment] } }), code);
  });

  test.for(['inspectSource', 'inspectTarget'] as const)('%s failing ends the migration before anything is claimed', async (name) => {
    const run = await harness.start({ outcomes: { [name]: failsBefore } });
    await assertRolledBack(run, 'qmp-error');
    expect(run.world.calls).not.toContain('claimGuest');
  });

  test.for([
    ['stream-failed', 'rolled-back'],
    ['stream-stalled', 'rolled-back'],
    ['rolled-back', 'rolled-back'],
    ['not-converging', 'not-converging'],
    ['deadline-exceeded', 'deadline-exceeded'],
  ] as const)('a copy that ends with %s is undone and not settled', async ([thrown, code]) => {
    const run = await harness.start({ outcomes: { copyAndSwitchOver: after((world) => (world.streams = true), thrown) } });
    await assertRolledBack(run, code);
    expect(run.world.calls).not.toContain('settleMigration');
  });

  test.for([failsBefore, failsAfter])('releaseSource failing asks the operator, and a retry ends it', async (outcome) => {
    const run = await harness.start({ outcomes: { releaseSource: outcome } });
    await run.seen((view) => view.phase === 'needs-operator');
    await harness.kedge.decideMigration(run.ref, 'retry');
    await assertMoved(run);
  });
});

describe.concurrent('a step before the copy that is repeated for long', () => {
  test.for(['claimGuest', 'prepareTarget'] as const)('%s is told of in the story, and the guest moves once it succeeds', async (name) => {
    const run = await harness.start({ outcomes: { [name]: fails('qmp-timeout', 8) }, timings: { askOperatorAfterMs: 100 } });
    const step = name === 'claimGuest' ? 'claim' : 'prepare';
    const view = await run.seen(({ story }) => story?.warnings.some((warning) => warning.includes(`Step ${step} takes longer`)) === true);
    expect(view.story?.phase).not.toBe('needs-operator');
    await assertMoved(run);
  });

  test('fails when its time is up, and the guest stays', async () => {
    const run = await harness.start({
      outcomes: { prepareTarget: fails('qmp-timeout', 10_000) },
      timings: { askOperatorAfterMs: 100, stepTimeoutMs: 500 },
    });
    const view = await run.ended();
    expect(view.status).toBe('failed');
    expect(view.story?.warnings.join()).toContain('Step prepare takes longer');
    expect(run.world.runners()).toEqual(['node1']);
    assertNothingLeftBehind(run.world);
  });
});

describe.concurrent('each undo', () => {
  const undos = ['cancelStream', 'revokeTarget', 'unclaimGuest'] as const;
  const broken = (undo: FakeActivityName, outcome: Outcomes[FakeActivityName]): Outcomes => ({
    copyAndSwitchOver: after((world) => (world.streams = true), 'stream-failed'),
    [undo]: outcome,
  });

  test.for(undos)('%s twice', async (undo) => {
    await assertRolledBack(await harness.start({ outcomes: broken(undo, runsTwice) }), 'rolled-back');
  });

  test.for(undos)('%s with retryable errors is repeated until it succeeds', async (undo) => {
    await assertRolledBack(await harness.start({ outcomes: broken(undo, fails('peer-unreachable', 4)) }), 'rolled-back');
  });

  test.for(undos.flatMap((undo) => [[undo, 'before', failsBefore] as const, [undo, 'after', failsAfter] as const]))(
    'an error inside %s %s its effect asks the operator, and a retry undoes the rest',
    async ([undo, , outcome]) => {
      const run = await harness.start({ outcomes: broken(undo, outcome) });
      const view = await run.seen((candidate) => candidate.phase === 'needs-operator');
      expect(view.story?.question?.code).toBe('qmp-error');
      await harness.kedge.decideMigration(run.ref, 'retry');
      await assertRolledBack(run, 'rolled-back');
    },
  );

  test.for(undos)('%s that is skipped by the operator is told, and the other undos run', async (undo) => {
    const run = await harness.start({ outcomes: broken(undo, fails('qmp-error', 99)) });
    await run.seen((view) => view.phase === 'needs-operator');
    await harness.kedge.decideMigration(run.ref, 'skip');
    const view = await run.ended();
    expect(view.failure?.code).toBe('rolled-back');
    expect(view.story?.warnings.join()).toContain('skipped by the operator');
    for (const other of undos) expect(run.world.calls).toContain(other);
    assertExactlyOneRunner(run.world);
  });

  test('an abandoned undo ends the workflow as needs-operator, with the guest where it was', async () => {
    const run = await harness.start({ outcomes: broken('revokeTarget', fails('qmp-error', 99)) });
    await run.seen((view) => view.phase === 'needs-operator');
    await harness.kedge.decideMigration(run.ref, 'abandon');
    const view = await run.ended();
    expect(view.failure?.code).toBe('needs-operator');
    expect(view.story?.outcome).toBe('abandoned');
    expect(run.world.calls).not.toContain('unclaimGuest');
    assertExactlyOneRunner(run.world);
  });

  test('an undo that a silent node delays asks the operator and ends by itself when the node is back', async () => {
    const run = await harness.start({ outcomes: broken('revokeTarget', fails('node-silent', 12)), timings: { askOperatorAfterMs: 150, retryLongestMs: 100 } });
    await run.seen((view) => view.story?.question?.code === 'node-silent');
    await assertRolledBack(run, 'rolled-back');
  });
});

describe.concurrent('the outcome of the switchover is unknown', () => {
  test.for(['copying', 'releasing'] as const)('at "%s": settled to the source and undone', async (stage) => {
    const run = await harness.start({ outcomes: { copyAndSwitchOver: lostAt(stage) } });
    await assertRolledBack(run, 'rolled-back');
    expect(run.world.calls).toContain('settleMigration');
  });

  test.for(['released', 'owned'] as const)('at "%s": settled to the target and rolled forward', async (stage) => {
    const run = await harness.start({ outcomes: { copyAndSwitchOver: lostAt(stage) } });
    await assertMoved(run);
    expect(run.world.calls).toContain('confirmTarget');
  });

  test.for(['copying', 'releasing', 'released', 'owned'] as const)('at "%s" with a settlement that runs twice', async (stage) => {
    const run = await harness.start({ outcomes: { copyAndSwitchOver: lostAt(stage), settleMigration: runsTwice } });
    await (stage === 'released' || stage === 'owned' ? assertMoved(run) : assertRolledBack(run, 'rolled-back'));
  });

  test.for(['copying', 'releasing', 'released', 'owned'] as const)('at "%s" with both nodes silent for a while', async (stage) => {
    const run = await harness.start({ outcomes: { copyAndSwitchOver: lostAt(stage), settleMigration: fails('node-silent', 7) } });
    await (stage === 'released' || stage === 'owned' ? assertMoved(run) : assertRolledBack(run, 'rolled-back'));
  });

  test('and both nodes stay silent: the operator is asked, and skipping rolls back', async () => {
    const run = await harness.start({
      outcomes: { copyAndSwitchOver: lostAt('copying'), settleMigration: fails('node-silent', 10_000) },
      timings: { askOperatorAfterMs: 2_000 },
    });
    const view = await run.seen((candidate) => candidate.phase === 'needs-operator');
    expect(view.story?.question).toMatchObject({ step: 'switchover', code: 'node-silent' });
    expect(view.story?.question?.message).toContain('The last try said: Fails with node-silent');
    await harness.kedge.decideMigration(run.ref, 'skip');
    await assertRolledBack(run, 'rolled-back');
  });

  test('and the nodes find two runners: nothing is undone before the operator has decided', async () => {
    const run = await harness.start({ outcomes: { copyAndSwitchOver: lostAt('released'), settleMigration: fails('needs-operator') } });
    await run.seen((view) => view.phase === 'needs-operator');
    expect(run.world.calls).not.toContain('revokeTarget');
    await harness.kedge.decideMigration(run.ref, 'retry');
    await assertMoved(run);
  });

  test('and the memory was lost: the story says so', async () => {
    const settled = { outcome: 'target-owns', memoryLost: true, blackout: null };
    const run = await harness.start({
      outcomes: {
        copyAndSwitchOver: lostAt('owned'),
        settleMigration: { times: 1, act: async () => settled },
      },
    });
    const view = await run.ended();
    expect(view.status).toBe('completed');
    expect(view.story?.outcome).toBe('guest-lost-memory');
    assertNothingLeftBehind(run.world);
  });

  test('and the confirmation fails: the operator is asked, and the source is still released', async () => {
    const run = await harness.start({ outcomes: { copyAndSwitchOver: lostAt('owned'), confirmTarget: failsBefore } });
    await run.seen((view) => view.phase === 'needs-operator');
    await harness.kedge.decideMigration(run.ref, 'skip');
    await assertMoved(run);
  });
});
