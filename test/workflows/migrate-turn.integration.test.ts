/** What may change between the checks of a migration and its turn. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ADMISSION_START } from '../../src/client/admission-start.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import type { Blackout } from '../../src/domain/window/blackout.js';
import { ADMISSION_ID, SIGNALS, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { TARGET } from '../support/fake-world.js';
import { startSagaHarness, type SagaHarness, type SagaRun } from '../support/saga-harness.js';

let harness: SagaHarness;
let looksAtTarget = 0;
/** From this look on. */
let cordonedFrom = Infinity;
let blackouts: readonly Blackout[] = [];
beforeAll(async () => {
  harness = await startSagaHarness({
    blackouts: () => blackouts,
    nodeStatus: (node) => {
      if (node !== TARGET) return null;
      looksAtTarget += 1;
      return { ...STATUS, cordoned: looksAtTarget >= cordonedFrom };
    },
  });
});
afterAll(() => harness.stop());
beforeEach(async () => {
  [looksAtTarget, cordonedFrom, blackouts] = [0, Infinity, []];
  await harness.kedge.admission.reset({ setBy: 'test' });
});

const STATUS: NodeStatus = { node: TARGET, bootId: 'b', registeredAt: null, cordoned: false, silentSince: null, inventory: null, inventoryAgeMs: null };
const TIMINGS = { askOperatorAfterMs: 500, drainLookMs: 100 };
const closed = (): Promise<unknown> => harness.kedge.admission.set({ settings: { in: 0 }, setBy: 'test' });
const queued = async (run: SagaRun): Promise<void> => {
  await expect.poll(async () => (await harness.slots()).waiting.map(({ holder }) => holder)).toEqual([run.ref.workflowId]);
};
const refused = async (run: SagaRun, id: string): Promise<void> => {
  const { failure, story } = await run.ended();
  expect(failure).toMatchObject({ code: 'migration-refused', details: { findings: [{ id }] } });
  expect([story?.outcome, run.world.calls.includes('claimGuest')]).toEqual([null, false]);
  await expect.poll(async () => (await harness.slots()).leases.length + (await harness.slots()).waiting.length).toBe(0);
};

test('a target that is cordoned between the checks and the request refuses the migration', async () => {
  cordonedFrom = 2;
  await refused(await harness.start(), 'target-cordoned');
});

test('a target that is cordoned while the migration waits for its turn refuses it, before its turn has come', async () => {
  await closed();
  const run = await harness.start({ timings: TIMINGS });
  await queued(run);
  cordonedFrom = 0;
  await refused(run, 'target-cordoned');
});

test('a blackout that begins while the migration waits refuses it when its turn has come', async () => {
  await closed();
  const run = await harness.start({ timings: { ...TIMINGS, askOperatorAfterMs: 60_000 } });
  await queued(run);
  await delay(TIMINGS.drainLookMs);
  const start = new Date(Date.now() - 120_000).toISOString().slice(0, 16);
  blackouts = [{ name: 'freeze', zone: 'UTC', start, rule: null, durationMs: 3_600_000, nodes: null, guests: null }];
  await harness.kedge.admission.reset({ setBy: 'test' });
  await refused(run, 'blackout');
});

test('a migration that waits asks again, so that an admission that was ended and knows nothing grants it all the same', async () => {
  await closed();
  const run = await harness.start({ timings: TIMINGS });
  await queued(run);
  await harness.client.workflow.getHandle(ADMISSION_ID).terminate();
  await harness.client.workflow.start(WORKFLOW_TYPES.admission, { ...ADMISSION_START, args: [{}] });
  expect((await run.ended()).story?.outcome).toBe('migrated');
});

test('a migration whose turn has not come by its latest beginning ends untouched, and leaves the queue', async () => {
  await closed();
  const { failure, story } = await (await harness.start({ notAfter: new Date(Date.now() + 700).toISOString() })).ended();
  expect([failure?.code, story?.outcome, story?.steps.map(({ step }) => step)]).toEqual(['too-late', null, ['validate', 'admit']]);
  await expect.poll(async () => (await harness.slots()).waiting).toEqual([]);
});

test('a migration that is not wanted to wait any more ends as cancelled, and one that has its slot goes on', async () => {
  await closed();
  const run = await harness.start();
  await queued(run);
  const stopWaiting = ({ ref }: SagaRun): Promise<void> => harness.client.workflow.getHandle(ref.workflowId).signal(SIGNALS.stopWaiting);
  await stopWaiting(run);
  expect((await run.ended()).failure?.code).toBe('cancelled');
  await harness.kedge.admission.reset({ setBy: 'test' });
  const other = await harness.start({ options: { hold: true } });
  await other.seen(({ phase, progress }) => phase === 'holding' && progress !== null);
  await stopWaiting(other);
  await harness.kedge.releaseMigration(other.ref);
  expect((await other.ended()).story?.outcome).toBe('migrated');
});
