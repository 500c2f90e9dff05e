/** A node stands still, or loses its power for good in the middle of a hand-over, and comes back when everything is over. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';

const VMID = 171;
const SOURCE = 'node1';
const TARGET = 'node2';
const TIMINGS = { askOperatorAfterMs: 12_000, retryLongestMs: 1_000, silentAfterMs: 5_000 } as const;

describe('a live migration whose node is lost or stands still', { timeout: 240_000 }, () => {
  let world: LabWorld;
  let sampler: RunnerSampler;

  beforeAll(async () => {
    world = await openLabWorld({ name: 'lost', nodes: 2, fencing: true });
    await world.createWitness({ vmid: VMID }, SOURCE);
    sampler = new RunnerSampler(VMID, () => world.lab());
  });
  afterAll(async () => {
    sampler.close();
    await world.close();
  });

  it('goes on by its second attempt alone when the worker of the first was stopped until that timed out, and is let go on', async () => {
    await world.booted(VMID);
    await world.resetWitness(VMID);
    const timings = { ...TIMINGS, heartbeatTimeoutMs: 3_000 };
    const ref = await world.kedge.startMigration({ vmid: VMID, target: TARGET, options: { hold: true }, requestedBy: 'e2e', timings });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    await world.break(SOURCE, { kind: 'stop', target: 'worker' });
    const attemptOf = ({ activities }: MigrationView): number => activities.find(({ name }) => name === 'copyAndSwitchOver')?.attempt ?? 0;
    await world.watch(ref, 'the second attempt', (view) => attemptOf(view) >= 2);
    // No other worker can take it up: the stopped one holds the lock of its node for as long as it lives.
    const second = await world.cli('lab', 'exec', SOURCE, '--', 'kedge', 'node', 'run');
    expect([second.code, second.stdout + second.stderr]).toEqual([3, expect.stringContaining('guest-locked')]);
    await world.heal(SOURCE);
    // Both are in one process now; the newer claim fences the older attempt, which then must not touch the stream.
    await world.watch(ref, 'the copy going on', ({ phase, progress }) => phase === 'holding' && (progress?.reattached ?? 0) >= 1);
    await delay(2_000);
    expect(recordState(SOURCE)).toBe('owned');
    expect((await world.cli('migration', 'release', String(VMID))).code).toBe(0);
    expect((await world.ended(ref)).story?.outcome).toBe('migrated');
    expect(sampler.report()).toMatchObject({ doubles: [], runningOn: [TARGET] });
    expect(await world.verdict(VMID)).toMatchObject({ doubleRunner: false, memoryIntact: true, diskIntact: true, reasons: [] });
    expect((await world.ended(await world.migrate(VMID, SOURCE))).story?.outcome).toBe('migrated');
  });

  it('parks, says what is known, goes on at the source once an operator has stated that the target is off, and the target cleans up when it is back', async () => {
    // No device is configured this time.
    renameSync(world.inside('control', '/etc/kedge/fencing.yaml'), world.inside('control', '/etc/kedge/fencing.off'));
    const ref = await loseTargetAfterReleased();
    const asked = await world.watch(ref, 'the question', ({ story }) => story?.question?.choices['target-dead'] !== undefined);
    const facts = asked.story?.question?.facts?.join('\n') ?? '';
    expect(facts).toMatch(
      /Known at \S+: node1 \(the source\) answers; its record of guest 171 is released\(\d+\) of 171-\d+, the guest's process there is there and "postmigrate"/,
    );
    expect(facts).toMatch(
      /Not known: node2 \(the target\): its heartbeats have been missing since \S+, and node1 gets no answer from it over the peer channel either/,
    );
    expect(facts).toContain('Guest 171 could be running on node2, as long as that node has power');

    const unconfirmed = await world.cli('migration', 'decide', String(VMID), 'target-dead');
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([2, expect.stringMatching(/must be node2[^]*RISK: if node2 is only cut off/)]);
    expect((await world.cli('migration', 'decide', String(VMID), 'target-dead', '--confirm', TARGET)).code).toBe(0);

    const end = await world.ended(ref);
    expect(end.failure?.code).toBe('rolled-back');
    expect(end.story?.outcome).toBe('guest-lost-memory');
    expect(end.story?.warnings.join()).toMatch(/node2 was given up: \S+ stated that its power is off/);
    await expectOnlyAtSource();
    renameSync(world.inside('control', '/etc/kedge/fencing.off'), world.inside('control', '/etc/kedge/fencing.yaml'));
  });

  it('decides alone where a fencing device cuts the power of a target that can not be heard', async () => {
    const ref = await loseTargetAfterReleased('cut');
    const end = await world.ended(ref);
    expect(end.failure?.code).toBe('rolled-back');
    expect(end.story?.warnings.join()).toMatch(/node2 was given up: its power was cut by \S+fence-lab\.sh, which confirmed it/);
    await expectOnlyAtSource();
  });

  /** Null while the node's power is off. */
  function recordState(node: string): string | null {
    try {
      return /"state":"(\w+)"/.exec(readFileSync(world.inside(node, `/var/lib/kedge/records/${VMID}.json`), 'utf8'))?.[1] ?? null;
    } catch {
      return null;
    }
  }

  /** `cut`: it lives on, and nobody hears it. */
  async function loseTargetAfterReleased(how: 'power' | 'cut' = 'power'): Promise<MigrationRef> {
    await world.booted(VMID);
    await world.resetWitness(VMID);
    // The worker of the source dies with `released` written and go not sent; the target is lost before the next one can send it.
    await world.break(SOURCE, { kind: 'crash-at', point: 'source.go-message', moment: 'before' });
    const ref = await world.kedge.startMigration({ vmid: VMID, target: TARGET, options: {}, requestedBy: 'e2e', timings: TIMINGS });
    await waitUntil('released at the source', () => recordState(SOURCE) === 'released', { timeoutMs: 60_000, pauseMs: 2 });
    // The switchover is in doubt for longer than its attempt: from then on the workflow has it settled, by a worker that dies in it, or does it twice.
    await world.break(SOURCE, { kind: 'crash-at', point: 'node.settle-activity', moment: how === 'power' ? 'repeat' : 'after' });
    if (how === 'power') await world.break(TARGET, { kind: 'power-off' });
    // On every path: one that answers on any is not fenced.
    else for (const network of ['control', 'migration'] as const) await world.break(TARGET, { kind: 'cut', network, direction: 'both', peer: null });
    return ref;
  }

  /** It runs there and nowhere else, at every moment, also once the other node is back and has registered. */
  async function expectOnlyAtSource(): Promise<void> {
    expect(existsSync(world.inside(SOURCE, '/run/kedge/crash/node.settle-activity')), 'the settlement was struck').toBe(false);
    await world.booted(VMID);
    await world.heal(TARGET);
    await waitUntil('the void record of the target', () => recordState(TARGET) === 'revoked', { timeoutMs: 60_000, pauseMs: 100 });
    await waitUntil('nothing void to be told', async () => ((await world.kedge.nodeStatus(parseNodeName(TARGET))).voided ?? []).length === 0, {
      timeoutMs: 30_000,
      pauseMs: 200,
    });
    await delay(1_000);
    expect(sampler.report()).toMatchObject({ doubles: [], runningOn: [SOURCE] });
    expect(await world.verdict(VMID, { allowedReboots: 1 })).toMatchObject({ doubleRunner: false, diskIntact: true, reasons: [] });
    expect(await world.leftovers()).toEqual([]);
    expect((await world.kedge.manageGuest({ command: { verb: 'show', vmid: parseVmid(VMID) } })).guest).toMatchObject({ record: 'owned', wanted: 'running' });
  }
});
