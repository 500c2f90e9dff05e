/**
 * A live migration is cancelled in each of its phases, by the command line and by Temporal. To stand still in a phase, a worker dies at a crash
 * point of it and is cut off from the server until the cancel is in.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { waitUntil } from '../../lab/processes.js';
import { temporalProgram } from '../../lab/temporal-program.js';
import type { CrashMoment, CrashPoint } from '../../src/domain/crash-points.js';
import type { MigrationPhase } from '../../src/domain/migration.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 106;
/** `either`: the target may be `armed`, so that it is the in-doubt table's to decide, and both ends are right. */
type End = 'cancelled' | 'migrated' | 'either';
interface Case {
  readonly phase: MigrationPhase;
  readonly point: CrashPoint;
  readonly moment: CrashMoment;
  readonly end: End;
}

const CASES: readonly Case[] = [
  { phase: 'validate', point: 'target.inspect-activity', moment: 'before', end: 'cancelled' },
  { phase: 'claim', point: 'source.claim-record', moment: 'before', end: 'cancelled' },
  { phase: 'claim', point: 'source.claim-record', moment: 'after', end: 'cancelled' },
  { phase: 'prepare', point: 'target.qemu-start', moment: 'after', end: 'cancelled' },
  { phase: 'pre-copy', point: 'source.stream-started', moment: 'after', end: 'cancelled' },
  { phase: 'switchover', point: 'source.releasing-record', moment: 'after', end: 'either' },
  { phase: 'switchover', point: 'source.go-message', moment: 'after', end: 'migrated' },
];
const WAYS = ['the command line', 'Temporal'] as const;

describe('a live migration that is cancelled', { timeout: 120_000 }, () => {
  let world: LabWorld;
  let sampler: RunnerSampler;
  let source = '';
  let target = '';

  beforeAll(async () => {
    world = await openLabWorld({ name: 'cancel', nodes: 2 });
    await world.createWitness({ vmid: VMID }, 'node1');
    await world.booted(VMID);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.resetWitness(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
    await waitUntil('the runner', () => sampler.report().runningOn.length === 1, { timeoutMs: 10_000 });
    source = sampler.report().runningOn[0] ?? '';
    target = source === 'node1' ? 'node2' : 'node1';
  });
  afterEach(async () => {
    sampler.close();
    await world.heal();
  });

  describe.each(WAYS)('by %s', (way) => {
    it.each(CASES)('while $phase ($point, $moment): $end', async ({ phase, point, moment, end }) => {
      const victim = point.startsWith('source.') ? source : target;
      await world.break(victim, { kind: 'crash-at', point, moment });
      // Slow enough that the second attempt of a copy hears of the cancel before it is through.
      const ref = await world.migrate(VMID, target, phase === 'pre-copy' ? { bandwidthLimit: 8 * 2 ** 20 } : {});
      await waitUntil('the crash', () => !existsSync(world.inside(victim, `/run/kedge/crash/${point}`)), { timeoutMs: 60_000, pauseMs: 2 });
      await world.break(victim, { kind: 'cut', network: 'control', direction: 'both', peer: null });
      // Copy and switchover are one activity: what it did last is only known when it has said so before it died.
      expect([phase, ...(phase === 'switchover' ? ['pre-copy'] : [])]).toContain((await world.kedge.showMigration(String(VMID))).phase);
      // Healed when the cancel is on its way: it is answered when it is decided, which needs the node back.
      const cancel = way === 'Temporal' ? temporal('workflow', 'cancel', '--workflow-id', `migration-${VMID}`) : world.cli('migration', 'cancel', String(VMID));
      await waitUntil('the cancel in the history', () => isAsked(way), { timeoutMs: 20_000, pauseMs: 50 });
      await world.heal(victim);
      const answer = await cancel;
      const seen = summaryOf(await world.ended(ref));
      if (seen.outcome === 'migrated') {
        expect(seen, JSON.stringify(seen)).toMatchObject({
          ...MIGRATED,
          warnings: expect.arrayContaining([expect.stringContaining('A cancel came too late')]),
        });
        expect(['migrated', 'either']).toContain(end);
        if (typeof answer !== 'string') expect(answer).toMatchObject({ code: 3, stderr: expect.stringContaining('cancel-refused') });
        [source, target] = [target, source];
      } else {
        expect(seen, JSON.stringify(seen)).toMatchObject({ outcome: 'cancelled' });
        expect(['cancelled', 'either']).toContain(end);
        if (typeof answer !== 'string') expect(answer).toMatchObject({ code: 0 });
      }
      await waitUntil('one runner', () => sampler.report().runningOn.length === 1, { timeoutMs: 20_000 });
      expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [source] });
      expect(world.qemuPid(target, VMID), `QEMU on ${target}`).toBeNull();
      expect(await world.leftovers()).toEqual([]);
      expect((await world.verdict(VMID)).reasons).toEqual([]);
    });
  });

  async function isAsked(way: (typeof WAYS)[number]): Promise<boolean> {
    const history = await temporal('workflow', 'show', '--workflow-id', `migration-${VMID}`);
    return history.includes(way === 'Temporal' ? 'WorkflowExecutionCancelRequested' : 'WorkflowExecutionUpdateA');
  }

  async function temporal(...words: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(temporalProgram(), [...words, '--address', world.lab().temporal.hostAddress]);
    return stdout;
  }
});
