import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import type { MigrationRef } from '../../src/client/migration-view.js';
import type { MigrationOptions } from '../../src/domain/migration.js';
import { DEFAULT_TIMINGS } from '../../src/domain/workflow-timings.js';
import { COMPONENT_PAIRS, COMPONENTS, killComponent, type Component, type Route } from '../support/components.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 103;
const MIB = 2 ** 20;
/** Longer than any blackout here, far shorter than what the wait for a dead component would add. */
const LONGEST_PAUSE_MS = 1_000;

describe('kill -9 of a component', () => {
  let world: LabWorld;
  let sampler: RunnerSampler;
  let route: Route;

  beforeAll(async () => {
    world = await openLabWorld({ name: 'kill', nodes: 2 });
    await world.createWitness({ vmid: VMID, memoryMiB: 384, workingSet: 160 * MIB, dirtyRate: 4 * MIB }, 'node1');
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    await world.resetWitness(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
    await waitUntil('the runner', () => sampler.report().runningOn.length === 1, { timeoutMs: 10_000 });
    route = sampler.report().runningOn.includes('node1') ? { source: 'node1', target: 'node2' } : { source: 'node2', target: 'node1' };
  });
  afterEach(() => {
    sampler.close();
  });

  it('each of them in turn in one pre-copy: the same stream goes on, and never begins anew', async () => {
    const sent: number[] = [];
    const ref = await start({ bandwidthLimit: 12 * MIB });
    for (const component of COMPONENTS) {
      const before = sent.at(-1) ?? 0;
      await kill(component);
      await world.watch(ref, `bytes sent after the kill of the ${component}`, ({ progress, storyIsFresh }) => {
        if (progress !== null) sent.push(progress.bytesSent);
        return storyIsFresh && (progress?.bytesSent ?? 0) > before;
      });
    }
    await expectMigrated(ref);
    expect(sent.filter((bytes, index) => bytes < (sent[index - 1] ?? 0))).toEqual([]);
  });

  it('each of them in turn in one hold, which goes on until it is released', async () => {
    const ref = await start({ hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    for (const component of COMPONENTS) {
      await kill(component);
      await world.watch(
        ref,
        `the hold after the kill of the ${component}`,
        ({ phase, storyIsFresh, progress }) => storyIsFresh && phase === 'holding' && progress !== null,
      );
    }
    await world.kedge.releaseMigration(ref);
    await expectMigrated(ref);
  });

  it.each(COMPONENT_PAIRS)('%s and %s while the migration is validated', async (...components) => {
    const ref = await start({});
    await Promise.all(components.map(kill));
    await expectMigrated(ref);
  });

  it.each(COMPONENT_PAIRS)('%s and %s while the target is prepared', async (...components) => {
    const ref = await start({});
    await waitUntil('the preparation', () => recordState(route.target) === 'incoming', { timeoutMs: 30_000, pauseMs: 2 });
    await Promise.all(components.map(kill));
    await expectMigrated(ref);
  });

  it.each(COMPONENT_PAIRS)('%s and %s while the source is released', async (...components) => {
    const ref = await start({});
    await waitUntil('the release', () => recordState(route.target) === 'owned', { timeoutMs: 60_000, pauseMs: 2 });
    await Promise.all(components.map(kill));
    await expectMigrated(ref);
  });

  it('target worker, when it has taken a task up and not noted it: the next attempt comes with its restart, not with a timeout', async () => {
    const { source, target } = route;
    const ref = await start({ hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    await world.break(target, { kind: 'crash-at', point: 'node.task-noted', moment: 'before' });
    const cancelledAt = performance.now();
    await world.kedge.cancelMigration(ref);
    expect(performance.now() - cancelledAt).toBeLessThan(DEFAULT_TIMINGS.heartbeatTimeoutMs);
    expect(summaryOf(await world.ended(ref)).outcome).toBe('cancelled');
    expect(existsSync(world.inside(target, '/run/kedge/crash/node.task-noted')), 'the point was passed').toBe(false);
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [source] });
    expect(await world.leftovers()).toEqual([]);
  });

  async function start(options: Partial<MigrationOptions>): Promise<MigrationRef> {
    return world.migrate(VMID, route.target, options);
  }

  function kill(component: Component): Promise<void> {
    return killComponent(world, component, route);
  }

  /** State of the guest's record on a node, from its file. */
  function recordState(node: string): unknown {
    const file = world.inside(node, `/var/lib/kedge/records/${VMID}.json`);
    return existsSync(file) ? /"state": ?"(\w+)"/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  }

  async function expectMigrated(ref: MigrationRef): Promise<void> {
    const end = summaryOf(await world.ended(ref));
    // A confirmation that had to be repeated is worth a warning, not a failure.
    expect({ ...end, warnings: [] }).toEqual(MIGRATED);
    const report = sampler.report();
    expect(report).toMatchObject({ doubles: [], unwatched: [], runningOn: [route.target] });
    expect(report.spans, 'one pause').toHaveLength(2);
    expect(report.longestPauseMs).toBeLessThan(LONGEST_PAUSE_MS);
    expect(
      sampler.migrationStatuses(route.source).filter((status) => status === 'setup'),
      'streams',
    ).toHaveLength(1);
    expect(await world.leftovers()).toEqual([]);
    expect((await world.verdict(VMID)).reasons).toEqual([]);
  }
});
