import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { readFailure, type KedgeFailure } from '../../src/domain/read-failure.js';
import { parseNodeName } from '../../src/domain/ids.js';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';
import { WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { assertExactlyOneRunner, assertNothingLeftBehind } from '../support/invariants.js';
import { fails, unconfirmed } from '../support/outcomes.js';
import { SILENT, startSagaHarness, type SagaHarness } from '../support/saga-harness.js';

let harness: SagaHarness;
beforeAll(async () => {
  harness = await startSagaHarness();
});
afterAll(() => harness.stop());

/** The failure of a workflow started as `temporal workflow start` would, without the client's checks. */
async function failureOf(input: unknown): Promise<KedgeFailure> {
  const id = `migration-${String(Math.random()).slice(2)}`;
  try {
    await harness.client.workflow.execute(WORKFLOW_TYPES.migrateGuest, { taskQueue: CONTROL_QUEUE, workflowId: id, args: [input] });
  } catch (error) {
    return readFailure(error);
  }
  throw new Error('The workflow did not fail');
}

describe.concurrent('migrateGuest', () => {
  test('moves a guest and tells the whole story', async () => {
    const run = await harness.start();
    const view = await run.ended();
    expect(view.status).toBe('completed');
    expect(view.story).toMatchObject({ id: `${run.ref.vmid}-2`, outcome: 'migrated', phase: 'done' });
    expect(view.story?.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'validate done',
      'admit done',
      'claim done',
      'prepare done',
      'pre-copy done',
      'switchover done',
      'confirm done',
      'release done',
    ]);
    expect(run.world.runners()).toEqual(['node2']);
    assertExactlyOneRunner(run.world);
    assertNothingLeftBehind(run.world);
    expect(view.story?.blackout).toEqual({ stopToResumeMs: 6, qemuDowntimeMs: 5 });
  });

  test('takes at most 60 history events, with a deadline and a step of its own to confirm the target', async () => {
    const run = await harness.start({ options: { timeoutMs: 60_000 }, outcomes: { copyAndSwitchOver: unconfirmed } });
    await run.ended();
    expect(run.world.calls).toContain('confirmTarget');
    const { historyLength } = await harness.client.workflow.getHandle(run.ref.workflowId).describe();
    expect(historyLength).toBeLessThanOrEqual(60);
  });

  test('whose guest shuts itself down in its hold ends, and does not say that it runs on', async () => {
    const run = await harness.start({
      options: { hold: true },
      outcomes: {
        copyAndSwitchOver: {
          times: 1,
          act: async ({ world }) => {
            world.shutsItselfDown();
            throw new KedgeError('rolled-back', 'It has shut itself down', { details: { isOff: true } });
          },
        },
      },
    });
    const { failure, story } = await run.ended();
    expect(failure?.message).toContain('the guest has shut itself down and stays off at node1');
    expect(story).toMatchObject({ outcome: 'rolled-back' });
    assertExactlyOneRunner(run.world);
    assertNothingLeftBehind(run.world);
  });

  test('gives its slot back, whether it moved the guest or not', async ({ expect }) => {
    const moved = await harness.start();
    const refused = await harness.start({ outcomes: { copyAndSwitchOver: fails('stream-failed') } });
    await Promise.all([moved.ended(), refused.ended()]);
    const holders = async (): Promise<string[]> => (await harness.slots()).leases.map((lease) => lease.holder);
    await expect.poll(holders).not.toContain(moved.ref.workflowId);
    await expect.poll(holders).not.toContain(refused.ref.workflowId);
  });

  test('copies with its share of a network whose bandwidth is limited, and as it likes otherwise', async () => {
    const network = '10.9.0.0/24';
    await harness.kedge.admission.set({ settings: { networks: { [network]: { bandwidth: 10_000_000, perNetwork: 2 } } }, setBy: 'test' });
    const live = await harness.start({ options: { network } });
    const offline = await harness.start({ options: { network: '10.9.0.1/24' }, movement: 'offline', wanted: 'stopped' });
    const free = await harness.start();
    await Promise.all([live, offline, free].map((run) => run.ended()));
    expect([live.world.shares, new Set(offline.world.shares), free.world.shares]).toEqual([[5_000_000], new Set([5_000_000]), [null]]);
  });

  test('leaves a paused guest paused', async () => {
    const run = await harness.start({ wanted: 'paused' });
    expect((await run.ended()).story?.outcome).toBe('migrated');
    expect(run.world.target.qemu).toBe('paused');
    assertNothingLeftBehind(run.world);
  });

  test('is found by the id that users type, by the vmid, and after a later migration of the same guest', async ({ expect }) => {
    const run = await harness.start({ outcomes: { claimGuest: fails('guest-locked') } });
    await run.ended();
    await expect(harness.kedge.showMigration(`${run.ref.vmid}-2`)).resolves.toMatchObject({ ref: run.ref });
    await expect(harness.kedge.showMigration(String(run.ref.vmid))).resolves.toMatchObject({ ref: run.ref });
    await expect(harness.kedge.showMigration(`${run.ref.vmid}-9`)).rejects.toMatchObject({ code: 'not-found' });
    await expect.poll(async () => (await harness.kedge.listMigrations({ vmid: run.ref.vmid })).map((view) => view.story?.id)).toEqual([`${run.ref.vmid}-2`]);
  });

  test('refuses a second start and names the first', async () => {
    const run = await harness.start({ options: { hold: true } });
    await run.seen((view) => view.phase === 'holding');
    const second = harness.kedge.startMigration({ vmid: run.ref.vmid, target: 'node2' });
    await expect(second).rejects.toMatchObject({ code: 'already-migrating', details: { migration: `${run.ref.vmid}-2` } });
    await harness.kedge.cancelMigration(run.ref);
  });
});

describe.concurrent('bad input', () => {
  test.for([
    [undefined, 'input'],
    [{ vmid: 'one', target: 'node2' }, 'vmid'],
    [{ vmid: 7, target: 'node2' }, 'vmid'],
    [{ vmid: 101 }, 'target'],
    [{ vmid: 101, target: 'not a name' }, 'node name'],
    [{ vmid: 101, target: 'node2', options: { maxDowntimeMs: -1 } }, 'options.maxDowntimeMs'],
    [{ vmid: 101, target: 'node2', options: { onStall: 'pray' } }, 'options.onStall'],
    [{ vmid: 101, target: 'node2', options: { holdUntil: 'tomorrow', hold: true } }, 'options.holdUntil'],
    [{ vmid: 101, target: 'node2', typo: 1 }, 'typo'],
  ] as const)('%j fails the workflow and names %s', async ([input, named]) => {
    const failure = await failureOf(input);
    expect(failure.code).toBe('bad-input');
    expect(failure.message).toContain(named);
  });
});

describe.concurrent('a refused migration', () => {
  test('names source and target that are the same node', async () => {
    const run = await harness.start({ target: parseNodeName('node1') });
    const view = await run.ended();
    expect(view.failure).toMatchObject({ code: 'migration-refused', details: { findings: [{ id: 'same-node' }] } });
    expect(run.world.calls).toEqual([]);
  });

  test('names a target that the cluster has not', async () => {
    const run = await harness.start({ target: parseNodeName('nowhere') });
    expect((await run.ended()).failure?.details['findings']).toMatchObject([{ id: 'target-unknown' }]);
  });

  test('names a guest that no node has', async () => {
    const failure = await failureOf({ vmid: 99_999, target: 'node2' });
    expect(failure).toMatchObject({ code: 'migration-refused', details: { findings: [{ id: 'guest-unknown' }] } });
  });

  test('names a silent target and what the source says, at once', async () => {
    const locked = { id: 'guest-locked', severity: 'blocker', text: 'Locked', remedy: 'Wait' };
    const run = await harness.start({
      timings: { silentAfterMs: 300 },
      target: SILENT,
      outcomes: { inspectSource: { times: 1, act: async ({ world }) => ({ findings: [locked], guest: null, inventory: world.inventory(world.source.name) }) } },
    });
    const view = await run.ended();
    expect(view.failure?.details['findings']).toMatchObject([{ id: 'target-silent' }, { id: 'guest-locked' }]);
    expect(run.world.calls).toEqual(['inspectSource']);
  });
});

describe.concurrent('a cancel', () => {
  test('before the hand-over restores everything', async () => {
    const run = await harness.start({ options: { hold: true } });
    await run.seen((view) => view.phase === 'holding');
    await harness.kedge.cancelMigration(run.ref);
    const view = await run.ended();
    expect(view.failure?.code).toBe('cancelled');
    expect(view.story?.outcome).toBe('cancelled');
    expect(run.world.runners()).toEqual(['node1']);
    assertNothingLeftBehind(run.world);
  });

  test("of Temporal's own does the same", async () => {
    const run = await harness.start({ options: { hold: true } });
    await run.seen((view) => view.phase === 'holding');
    await harness.client.workflow.getHandle(run.ref.workflowId).cancel();
    expect((await run.ended()).failure?.code).toBe('cancelled');
    assertExactlyOneRunner(run.world);
    assertNothingLeftBehind(run.world);
  });

  test('that comes too late is refused with the reason, and the guest moves', async () => {
    let cancelled = (): void => undefined;
    const wait = new Promise<void>((resolve) => (cancelled = resolve));
    const run = await harness.start({
      outcomes: {
        copyAndSwitchOver: {
          times: 1,
          act: async ({ effect }) => {
            await wait;
            return effect();
          },
        },
      },
    });
    await run.world.until(() => run.world.calls.includes('copyAndSwitchOver'));
    const cancel = harness.kedge.cancelMigration(run.ref).then(
      () => null,
      (error: unknown) => error,
    );
    await run.seen((view) => view.activities.some((activity) => activity.state === 'cancel-requested'));
    cancelled();
    expect(await cancel).toBeInstanceOf(KedgeError);
    expect(await cancel).toMatchObject({ code: 'cancel-refused' });
    const view = await run.ended();
    expect(view.story?.outcome).toBe('migrated');
    expect(view.story?.warnings.join()).toContain('too late');
  });

  test('by the deadline ends as deadline-exceeded', async () => {
    const run = await harness.start({
      options: { timeoutMs: 500 },
      outcomes: {
        copyAndSwitchOver: {
          times: 1,
          act: async () => {
            await Context.current().cancelled.catch(() => undefined);
            throw new KedgeError('cancelled', 'Cancelled in time');
          },
        },
      },
      timings: { heartbeatTimeoutMs: 400 },
    });
    expect((await run.ended()).failure?.code).toBe('deadline-exceeded');
    assertNothingLeftBehind(run.world);
  });
});

describe.concurrent('a hold', () => {
  test('ends at the release', async () => {
    const run = await harness.start({ options: { hold: true } });
    await run.seen((view) => view.phase === 'holding' && view.progress !== null);
    await harness.kedge.releaseMigration(run.ref);
    expect((await run.ended()).story?.outcome).toBe('migrated');
    await expect(harness.kedge.releaseMigration(run.ref)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('ends at its instant', async () => {
    const run = await harness.start({ options: { hold: true, holdUntil: new Date(Date.now() + 1_000).toISOString() } });
    expect((await run.ended()).story?.outcome).toBe('migrated');
    expect(run.world.calls).toContain('releaseHold');
  });

  test('is released by the next release when one has failed for good', async ({ expect }) => {
    const run = await harness.start({ options: { hold: true }, outcomes: { releaseHold: fails('no-space') } });
    await run.seen((view) => view.phase === 'holding');
    await harness.kedge.releaseMigration(run.ref);
    await expect.poll(() => run.world.calls.filter((name) => name === 'releaseHold').length).toBe(1);
    await run.seen((view) => view.phase === 'holding');
    await harness.kedge.releaseMigration(run.ref);
    expect((await run.ended()).story?.outcome).toBe('migrated');
  });

  test('is not what a migration without it can be released from', async () => {
    const run = await harness.start({ outcomes: { releaseSource: fails('qmp-error') } });
    await run.seen((view) => view.phase === 'needs-operator');
    await expect(harness.kedge.releaseMigration(run.ref)).rejects.toMatchObject({ code: 'guest-state' });
    await harness.kedge.decideMigration(run.ref, 'retry');
    await run.ended();
  });
});
