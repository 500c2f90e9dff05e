/** Migrations that somebody looks at all the time: a query may end a workflow task at any place, and the decisions stay the same (docs/decisions/0023). */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { handOver } from '../support/fake-node.js';
import { after, fails } from '../support/outcomes.js';
import { startSagaHarness, type SagaHarness, type SagaRun, type StartOptions } from '../support/saga-harness.js';

let harness: SagaHarness;
beforeAll(async () => {
  harness = await startSagaHarness();
});
// All that has run is replayed here.
afterAll(() => harness.stop());

const WAYS: readonly StartOptions[] = [
  {},
  { options: { timeoutMs: 60_000 } },
  { outcomes: { copyAndSwitchOver: after((world) => (world.streams = true), 'stream-failed') } },
  { outcomes: { copyAndSwitchOver: after((world, step) => handOver(world, step, 'released'), 'outcome-unknown') } },
  { movement: 'offline', wanted: 'stopped' },
  { movement: 'restart', options: { restart: true, timeoutMs: 60_000 } },
  { movement: 'restart', options: { restart: true }, outcomes: { verifyCopy: fails('copy-differs', 2) } },
  { movement: 'restart', options: { restart: true }, outcomes: { handOverCopy: fails('peer-refused') } },
];

test.each([
  ['to their ends', false],
  ['that are cancelled at once', true],
])('migrations %s end, however often they are asked', async (_, isCancelled) => {
  const outcomes = await Promise.all(WAYS.map(async (way) => outcomeOf(await harness.start(way), isCancelled)));
  expect(outcomes.every((outcome) => outcome !== null)).toBe(true);
});

async function outcomeOf(run: SagaRun, isCancelled: boolean): Promise<unknown> {
  const over = new AbortController();
  const ended = run.ended().finally(() => over.abort());
  // Before it has a claim it ends without an outcome.
  if (isCancelled) await run.world.until(() => run.world.calls.includes('claimGuest'));
  // Refused or not: what becomes of a cancel is the matter of other tests.
  const cancelled = isCancelled ? harness.kedge.cancelMigration(run.ref).catch(() => undefined) : undefined;
  while (!over.signal.aborted) {
    await harness.kedge.showMigration(run.ref).catch(() => null);
    await delay(2);
  }
  await cancelled;
  return (await ended).story?.outcome ?? null;
}
