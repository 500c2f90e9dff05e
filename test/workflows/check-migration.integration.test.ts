import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Vmid } from '../../src/domain/ids.js';
import type { MigrateGuestInput } from '../../src/domain/migration.js';
import { migrationCheckSchema } from '../../src/schema/migration-check.js';
import { startSagaHarness, type SagaHarness } from '../support/saga-harness.js';

/** A node that takes up no call is silent after so long. */
const timings = { silentAfterMs: 2_000, retryFirstMs: 10 };

/** Guests that a blackout keeps where they are. */
const quiet: Vmid[] = [];
let harness: SagaHarness;
beforeAll(async () => {
  const always = { name: 'always', zone: 'UTC', start: '2020-01-01T00:00', rule: 'FREQ=DAILY', durationMs: 86_400_000, nodes: null };
  harness = await startSagaHarness({ blackouts: () => [{ ...always, guests: quiet }] });
});
afterAll(() => harness.stop());

describe.concurrent('checkMigration', () => {
  test('asks both nodes, foresees the cost, and does nothing else', async () => {
    const run = await harness.start();
    await run.ended();
    const before = run.world.calls.length;
    const answer = await harness.kedge.checkMigration({ vmid: run.world.vmid, source: 'node1', target: 'node2' });
    expect(migrationCheckSchema.parse(answer)).toEqual(answer);
    expect(answer).toMatchObject({ vmid: run.world.vmid, source: 'node1', targets: [{ target: 'node2', possible: true, kind: 'live', findings: [] }] });
    expect(answer.targets[0]?.forecast?.durationMs.least).toBeGreaterThan(0);
    expect(run.world.calls.slice(before).toSorted()).toEqual(['inspectSource', 'inspectTarget']);
  });

  test('judges all other nodes when no target is named', async () => {
    const run = await harness.start();
    await run.ended();
    const { targets } = await harness.kedge.checkMigration({ vmid: run.world.vmid, source: 'node1', timings });
    expect(targets.map(({ target, possible, findings }) => [target, possible, findings.map(({ id }) => id)])).toEqual([
      ['node2', true, []],
      ['node9', false, ['target-silent']],
    ]);
  });

  test('finds the migration that is under way, which it does not disturb', async () => {
    const run = await harness.start({ options: { hold: true } });
    await run.seen(({ phase }) => phase === 'holding');
    const { targets } = await harness.kedge.checkMigration({ vmid: run.world.vmid, source: 'node1', target: 'node2' });
    expect(targets[0]).toMatchObject({ possible: false, findings: [{ id: 'guest-migrating', severity: 'blocker' }] });
    await harness.kedge.releaseMigration(run.ref);
    expect((await run.ended()).story).toMatchObject({ outcome: 'migrated', forecast: { kind: 'live' } });
  });

  test('finds a blackout, as a migration does that begins in it, but only warns of it when it is overridden or guests are being saved', async () => {
    const run = await harness.start();
    await run.ended();
    const { vmid } = run.world;
    quiet.push(vmid);
    const severities = async (more: Pick<MigrateGuestInput, 'options' | 'priority'>) => {
      const { targets } = await harness.kedge.checkMigration({ vmid, source: 'node1', target: 'node2', ...more });
      return targets[0]?.findings.map(({ id, severity }) => `${id} ${severity}`);
    };
    expect(await severities({})).toEqual(['blackout blocker']);
    expect(await severities({ options: { ignoreBlackout: true } })).toEqual(['blackout warning']);
    expect(await severities({ priority: 'failure' })).toEqual(['blackout warning']);
    const before = run.world.calls.length;
    const ref = await harness.kedge.startMigration({ vmid, source: 'node1', target: 'node2' });
    await expect(harness.client.workflow.getHandle(ref.workflowId, ref.runId).result()).rejects.toMatchObject({ cause: { type: 'migration-refused' } });
    expect(run.world.calls.slice(before).filter((call) => !call.startsWith('inspect'))).toEqual([]);
  });

  test('finds a guest that nobody has, for every node', async () => {
    const { source, targets } = await harness.kedge.checkMigration({ vmid: 999, timings: { ...timings, lookAgainMs: 10 } });
    expect(source).toBeNull();
    expect(targets.map(({ target, findings }) => [target, findings.map(({ id }) => id)])).toEqual(
      ['node1', 'node2', 'node9'].map((node) => [node, ['guest-unknown']]),
    );
  });

  test('refuses input that it can not read', async () => {
    await expect(harness.kedge.checkMigration({ vmid: 1 })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(harness.kedge.checkMigration({ vmid: 101, options: { bandwidthLimit: -1 } })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('options.bandwidthLimit'),
    });
  });
});
