/** A cancel in every phase, by the update and by Temporal's own: before the commit all is as before, after it the guest has moved. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { MigrationKind } from '../../src/domain/migration.js';
import type { Wanted } from '../../src/domain/ownership.js';
import { assertExactlyOneRunner, assertNothingLeftBehind } from '../support/invariants.js';
import { after, waitsFor, type FakeActivityName, type Outcomes } from '../support/outcomes.js';
import { startSagaHarness, type SagaHarness, type SagaRun } from '../support/saga-harness.js';

let harness: SagaHarness;
beforeAll(async () => {
  harness = await startSagaHarness();
});
afterAll(() => harness.stop());

const ONLY_READS = ['inspectSource', 'inspectTarget'] as const;
/** For each way: what runs before the commit, in it and after it. A copy that is under way is the matter of its own tests. */
const PHASES: readonly (readonly [MigrationKind, Wanted, readonly FakeActivityName[], readonly FakeActivityName[]])[] = [
  ['live', 'running', [...ONLY_READS, 'claimGuest', 'prepareTarget'], ['copyAndSwitchOver', 'releaseSource']],
  [
    'restart',
    'running',
    [...ONLY_READS, 'claimGuest', 'prepareCopy', 'copyVolumes', 'shutDownGuest', 'verifyCopy'],
    ['handOverCopy', 'startMoved', 'releaseSource'],
  ],
  ['offline', 'stopped', [...ONLY_READS, 'claimGuest', 'prepareCopy', 'copyVolumes', 'verifyCopy'], ['handOverCopy', 'startMoved', 'releaseSource']],
];
const cases = (which: 'before' | 'after') =>
  PHASES.flatMap(([movement, wanted, before, afterwards]) => (which === 'before' ? before : afterwards).map((name) => [movement, name, wanted] as const));

const gate = (): { opened: Promise<void>; open: () => void } => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

/** Begins, and answers when the activity is under way; it ends with `open`. */
async function stoppedIn(
  name: FakeActivityName,
  how: { movement: MigrationKind; wanted: Wanted; outcomes?: Outcomes },
): Promise<{ run: SagaRun; open: () => void }> {
  const { opened, open } = gate();
  const { outcomes = {}, ...guest } = how;
  const run = await harness.start({ ...guest, outcomes: { ...outcomes, [name]: waitsFor(opened) } });
  await run.world.until(() => run.world.calls.includes(name));
  return { run, open };
}

const asked = (run: SagaRun): Promise<KedgeError | 'cancelled'> =>
  harness.kedge.cancelMigration(run.ref).then(
    () => 'cancelled' as const,
    (error: unknown) => (error instanceof KedgeError ? error : new KedgeError('internal', String(error))),
  );

/** Waits until a cancel has reached the migration. */
async function accepted({ ref }: SagaRun): Promise<void> {
  const handle = harness.client.workflow.getHandle(ref.workflowId, ref.runId);
  const isAccepted = async (): Promise<boolean> =>
    (await handle.fetchHistory()).events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null) ?? false;
  await vi.waitUntil(isAccepted, { timeout: 20_000, interval: 30 });
}

describe.concurrent('a cancel before the commit leaves everything as it was', () => {
  test.for(cases('before'))('%s, during %s, also when it is said twice', async ([movement, name, wanted]) => {
    const { run, open } = await stoppedIn(name, { movement, wanted });
    const answers = [asked(run), asked(run)];
    await accepted(run);
    open();
    // The migration may have ended before the second one is heard.
    const heard = (await Promise.all(answers)).map((answer) => (answer instanceof KedgeError ? answer.code : answer));
    expect(heard).toContain('cancelled');
    expect(heard.filter((code) => code !== 'not-found' && code !== 'cancelled')).toEqual([]);
    const { failure, story } = await run.ended();
    expect([failure?.code, story?.outcome]).toEqual(['cancelled', 'cancelled']);
    assertAtSource(run);
    expect(await asked(run)).toMatchObject({ code: 'not-found' });
  });

  test('also when many say so at the very moment in which it ends', async () => {
    const { run, open } = await stoppedIn('inspectTarget', { movement: 'live', wanted: 'running' });
    const answers = Array.from({ length: 30 }, (_, index) => delay(index * 2).then(() => asked(run)));
    const heard = (await Promise.all(answers)).map((answer) => (answer instanceof KedgeError ? answer.code : answer));
    open();
    expect(heard.filter((answer) => answer !== 'cancelled' && answer !== 'not-found')).toEqual([]);
    expect((await run.ended()).failure?.code).toBe('cancelled');
    assertAtSource(run);
  });

  test.for(cases('before'))("%s, during %s, by Temporal's own", async ([movement, name, wanted]) => {
    const { run, open } = await stoppedIn(name, { movement, wanted });
    const handle = harness.client.workflow.getHandle(run.ref.workflowId);
    await handle.cancel();
    await handle.cancel();
    open();
    expect((await run.ended()).failure?.code).toBe('cancelled');
    assertAtSource(run);
  });
});

describe.concurrent('a cancel after the commit is refused, and the guest moves', () => {
  test.for(cases('after'))('%s, during %s, with the reason and the way back, each time', async ([movement, name, wanted]) => {
    const { run, open } = await stoppedIn(name, { movement, wanted });
    const first = asked(run);
    await harness.kedge.showMigration(run.ref);
    open();
    const refusal = await first;
    // The last step may end before the second one is asked.
    const second = await asked(run);
    expect(refusal).toMatchObject({
      code: 'cancel-refused',
      message: expect.stringContaining(`move the guest back with "kedge migrate ${run.ref.vmid} node1"`),
    });
    expect(['cancel-refused', 'not-found']).toContain(second instanceof KedgeError ? second.code : second);
    await assertMoved(run);
  });

  test.for(cases('after'))("%s, during %s, by Temporal's own", async ([movement, name, wanted]) => {
    const { run, open } = await stoppedIn(name, { movement, wanted });
    await harness.client.workflow.getHandle(run.ref.workflowId).cancel();
    open();
    await assertMoved(run);
  });
});

describe.concurrent('a cancel during the roll-back changes nothing', () => {
  test.for([
    ['live', 'cancelStream', { copyAndSwitchOver: after((world) => (world.streams = true), 'stream-failed') }, 'rolled-back'],
    ['live', 'revokeTarget', { copyAndSwitchOver: after((world) => (world.streams = true), 'not-converging') }, 'not-converging'],
    ['restart', 'revokeTarget', { shutDownGuest: after(() => undefined, 'shutdown-timeout') }, 'shutdown-timeout'],
    ['restart', 'unclaimGuest', { shutDownGuest: after(() => undefined, 'shutdown-timeout') }, 'shutdown-timeout'],
  ] as const)('%s, during %s, by either way', async ([movement, name, outcomes, code]) => {
    const { run, open } = await stoppedIn(name, { movement, wanted: 'running', outcomes });
    const answer = asked(run);
    await harness.client.workflow.getHandle(run.ref.workflowId).cancel();
    await harness.kedge.showMigration(run.ref);
    open();
    // What was asked for is so: the guest is where it was.
    expect(await answer).toBe('cancelled');
    expect((await run.ended()).failure?.code).toBe(code);
    assertAtSource(run);
  });
});

function assertAtSource(run: SagaRun): void {
  if (run.world.wanted === 'running') expect(run.world.runners()).toEqual(['node1']);
  expect(run.world.source.record?.state).toBe('owned');
  assertExactlyOneRunner(run.world);
  if (run.world.calls.includes('claimGuest')) assertNothingLeftBehind(run.world);
}

async function assertMoved(run: SagaRun): Promise<void> {
  const { story, failure } = await run.ended();
  expect([failure, story?.outcome]).toEqual([null, 'migrated']);
  expect(run.world.target.record?.state).toBe('owned');
  assertExactlyOneRunner(run.world);
  assertNothingLeftBehind(run.world);
}
