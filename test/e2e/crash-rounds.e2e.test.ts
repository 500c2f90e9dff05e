/**
 * Every crash point that a migration, a verb or a restart passes: some die there, the others do everything twice. Several strike in one
 * round; what has not struck when it ends strikes in the next, the other way round.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import { CRASH_HITS_FILE } from '../../src/domain/crash-points.js';
import type { Route } from '../support/components.js';
import type { Place } from '../../lab/faults/crash-passages.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OfflineGuest } from '../support/offline-guest.js';
import { allCrashes, pointsOfRounds, sampleCrashes, type CrashRun, type PlannedCrash } from '../support/plan-crashes.js';
import { COMPANIONS, CONTAINER, guestOf, LOCAL_MACHINE, MACHINE, outcomeOf, playRound } from '../support/play-round.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { summaryOf } from '../support/summary-of.js';

const MIB = 2 ** 20;
const FOLDER = '/run/kedge/crash';
const MACHINES = ['node1', 'node2', 'control'];
const MOST_ROUNDS = 5;

/** Another one each day; a failure is repeated with the seed of its name. */
const SEED = Number(process.env['KEDGE_CRASH_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const RUNS = process.env['KEDGE_KILLS'] === 'all' ? allCrashes() : sampleCrashes(SEED);
const CASES = RUNS.map((run, index) => ({ ...run, index, deaths: run.crashes.filter(({ moment }) => moment !== 'repeat').length }));

describe(`workers that die or repeat themselves at every crash point (seed ${SEED})`, { timeout: 300_000 }, () => {
  let world: LabWorld;
  let sampler: RunnerSampler | null = null;
  const struck = new Set<string>();

  beforeAll(async () => {
    world = await openLabWorld({ name: 'rounds', nodes: 2 });
    await world.createWitness({ vmid: MACHINE }, 'node1');
    await world.createWitness({ vmid: LOCAL_MACHINE, storage: 'local', disks: [32, 32], dirtyRate: MIB, workingSet: 16 * MIB }, 'node1');
    await world.createWitnessContainer({ vmid: CONTAINER, unprivileged: true, files: 200, mountPoints: 1 }, 'node1');
    for (const machine of MACHINES) writeFileSync(inCrashFolder(machine, CRASH_HITS_FILE), '');
  });
  afterAll(() => world.close());
  afterEach(() => {
    sampler?.close();
    sampler = null;
  });

  it.each(CASES)('$index, $round with $deaths deaths: the guest runs once, and whole', async ({ round, crashes, deaths }) => {
    let open: readonly PlannedCrash[] = crashes;
    for (let rounds = 1; open.length > 0; rounds += 1) {
      expect(rounds, `these never strike: ${JSON.stringify(open)}`).toBeLessThanOrEqual(MOST_ROUNDS);
      open = await strike({ round, crashes: open }, deaths === 0);
    }
  });

  it('every point of the rounds has struck', () => {
    const points = new Set([...struck].map((line) => line.split(' ')[0]));
    expect(pointsOfRounds().filter((point) => !points.has(point))).toEqual([]);
    expect([...struck].toSorted()).toEqual(expect.arrayContaining(RUNS.flatMap(({ crashes }) => crashes.map(({ point, moment }) => `${point} ${moment}`))));
  });

  /** One round; answers what did not strike in it. */
  async function strike({ round, crashes }: CrashRun, lossless: boolean): Promise<readonly PlannedCrash[]> {
    const vmid = guestOf(round);
    await world.booted(vmid);
    await world.resetWitness(vmid);
    sampler?.close();
    sampler = vmid === CONTAINER ? null : new RunnerSampler(vmid, () => world.lab());
    const route = await routeOf(vmid);
    const companion = COMPANIONS[round];
    const armed = [...(companion === undefined ? [] : [companion]), ...crashes].map((crash) => ({
      crash,
      file: inCrashFolder(machineAt(route, crash.at), crash.point),
    }));
    for (const { crash, file } of armed) writeFileSync(file, crash.moment);
    const end = await playRound(world, round, route);
    if (end === null) await waitUntil('all to strike', () => armed.every(({ file }) => !existsSync(file)), { timeoutMs: 20_000 }).catch(() => undefined);
    const left = armed.filter(({ file }) => existsSync(file));
    for (const { file } of left) rmSync(file, { force: true });
    noteStruck();

    const told = end === null ? '' : JSON.stringify(summaryOf(end));
    const expected = outcomeOf(round);
    if (end !== null) expect(lossless ? [expected] : [expected, 'migrated', 'rolled-back'], told).toContain(end.story?.outcome);
    const home = (await routeOf(vmid)).source;
    if (end !== null) expect(home, told).toBe(end.status === 'completed' ? route.target : route.source);
    expect(await world.leftovers(), told).toEqual([]);
    await world.booted(vmid);
    if (sampler !== null) expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [home] });
    const verdict = await world.verdict(vmid, { allowedReboots: vmid === MACHINE ? 0 : 1 });
    expect(verdict, told).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    return crashes.filter((crash) => left.some((each) => each.crash === crash));
  }

  /** From the node that has the guest to the other; local recovery may need a moment to let it run. */
  async function routeOf(vmid: number): Promise<Route> {
    const guest = new OfflineGuest(world, vmid);
    const owners = (): readonly string[] => ['node1', 'node2'].filter((node) => guest.record(node) === 'owned');
    await waitUntil('one owner', () => owners().length === 1, { timeoutMs: 30_000 });
    if (sampler !== null) await waitUntil('one runner', () => sampler?.report().runningOn.length === 1, { timeoutMs: 30_000 });
    return owners().includes('node1') ? { source: 'node1', target: 'node2' } : { source: 'node2', target: 'node1' };
  }

  function noteStruck(): void {
    for (const machine of MACHINES) {
      const hits = inCrashFolder(machine, CRASH_HITS_FILE);
      for (const line of readFileSync(hits, 'utf8').split('\n')) if (line.includes(' ')) struck.add(line);
      writeFileSync(hits, '');
    }
  }

  function inCrashFolder(machine: string, name: string): string {
    return world.inside(machine, `${FOLDER}/${name}`);
  }
});

function machineAt({ source, target }: Route, at: Place): string {
  if (at === 'control') return 'control';
  return at === 'source' ? source : target;
}
