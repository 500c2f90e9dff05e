import { describe, expect, test } from 'vitest';
import type { MigrateGuestInput } from '../../../src/domain/migration.js';
import { viewsOf, runFake, type FakeOptions } from './fake-cluster.js';
import { ended, failure, running, story } from './stories.js';

const { ref } = ended();

function cluster(looks: Parameters<typeof viewsOf>[0], inputs: MigrateGuestInput[] = []): NonNullable<FakeOptions['cluster']> {
  return {
    startMigration(input) {
      inputs.push(input);
      return Promise.resolve(ref);
    },
    watchMigration: () => viewsOf(looks),
  };
}

describe('kedge migrate', () => {
  test('names only the options that were typed, in the units of the workflow', async () => {
    const inputs: MigrateGuestInput[] = [];
    const argv = [
      'migrate',
      '101',
      'node2',
      '--bwlimit',
      '1024',
      '--migration-network',
      '10.1.0.0/24',
      '--max-downtime',
      '80',
      '--timeout',
      '10m',
      '--on-stall',
      'force',
      '--type',
      'insecure',
      '--hold',
      '--until',
      '2026-03-01T13:00:00Z',
      '--source',
      'node1',
    ];
    await runFake(argv, { cluster: cluster([ended()], inputs) });
    expect(inputs).toEqual([
      {
        vmid: 101,
        target: 'node2',
        source: 'node1',
        requestedBy: expect.stringContaining('@'),
        options: {
          type: 'insecure',
          network: '10.1.0.0/24',
          bandwidthLimit: 1024 * 1024,
          maxDowntimeMs: 80,
          timeoutMs: 600_000,
          onStall: 'force',
          hold: true,
          holdUntil: '2026-03-01T13:00:00.000Z',
        },
      },
    ]);
    await runFake(['migrate', '101', 'node2'], { cluster: cluster([ended()], inputs) });
    expect(inputs[1]?.options).toEqual({});
    await runFake(['migrate', '101', 'node2', '--bwlimit', '0'], { cluster: cluster([ended()], inputs) });
    expect(inputs[2]?.options).toEqual({ bandwidthLimit: 0 });
  });

  test('takes what was not typed from kedge.yaml', async () => {
    const inputs: MigrateGuestInput[] = [];
    const migrationDefaults = { type: 'insecure', maxDowntimeMs: 120 } as const;
    await runFake(['migrate', '101', 'node2', '--max-downtime', '50'], { cluster: { ...cluster([ended()], inputs), migrationDefaults } });
    expect(inputs[0]?.options).toEqual({ type: 'insecure', maxDowntimeMs: 50 });
  });

  test('tells of calls that had to be repeated and of a control worker that does not answer', async () => {
    const activity = {
      name: 'copyAndSwitchOver',
      state: 'started',
      attempt: 2,
      lastFailure: 'The worker of this attempt has died',
      heartbeatAgeMs: 10,
    } as const;
    const result = await runFake(['migrate', '101', 'node2'], { cluster: cluster([{ ...running(), activities: [activity], storyIsFresh: false }, ended()]) });
    expect(result.err).toContain('copyAndSwitchOver attempt 2 (The worker of this attempt has died) · no control worker answers');
  });

  test('does not take a workflow that was ended from outside for a success', async () => {
    const result = await runFake(['migrate', '101', 'node2'], { cluster: cluster([ended({ status: 'terminated', story: null })]) });
    expect(result.exitCode).toBe(1);
    expect(result.err).toContain('ended from outside (terminated) [outcome-unknown]');
  });

  test('ends with 0, a summary on stderr and nothing on stdout when the guest has moved', async () => {
    const result = await runFake(['migrate', '101', 'node2'], { cluster: cluster([running(), ended()]) });
    expect(result).toMatchObject({ exitCode: 0, out: '', closed: true });
    expect(result.err).toContain('pre-copy · round 2 · 412 MiB sent, 88.0 MiB left of 512 MiB · 310 MiB/s · dirty 22.0 MiB/s · blackout ~48 ms · ETA 2.0 s');
    expect(result.err).toContain('Guest 101 runs on node2: 563 MiB sent in 4.2 s, blackout 47 ms');
    expect(result.err).toContain('kedge migration show 101-7');
  });

  test('tells how far disks are copied and compared, without what only RAM has', async () => {
    const looks = [running({ phase: 'pre-sync', reattached: 1 }), running({ phase: 'verify', files: { done: 1_200, total: 50_000 } })];
    const moved = ended({ story: story({ kind: 'restart', blackout: null, downtimeMs: 41_000 }) });
    const { err } = await runFake(['migrate', '101', 'node2', '--restart'], { cluster: cluster([...looks, moved]) });
    expect(err.split('\n').slice(0, 3)).toEqual([
      'pre-sync · pass 2 · 412 MiB done, 88.0 MiB left of 512 MiB · 310 MiB/s · ETA 2.0 s',
      'verify · 412 MiB compared, 88.0 MiB left of 512 MiB · 1200 of 50000 files · 310 MiB/s · ETA 2.0 s',
      'Guest 101 runs on node2: 563 MiB sent in 4.2 s, off for 41 s',
    ]);
  });

  test('does not say of a guest that is off that it runs', async () => {
    const moved = ended({ story: story({ kind: 'offline', blackout: null }) });
    const { err } = await runFake(['migrate', '101', 'node2'], { cluster: cluster([moved]) });
    expect(err).toContain('Guest 101 has moved to node2: 563 MiB sent in 4.2 s\n');
  });

  test('rewrites one line on a terminal and leaves it clean', async () => {
    const result = await runFake(['migrate', '101', 'node2'], { terminal: true, cluster: cluster([running(), running({ round: 3 }), ended()]) });
    expect(result.err.split('\r\u001b[2K').length - 1).toBe(3);
    expect(result.err.split('\n')[0]).toMatch(/round 3.*\r\u001b\[2KGuest 101 runs/);
  });

  test('rations lines where stderr is no terminal', async () => {
    const looks = [1, 2, 3, 4].map((round) => running({ round }));
    const result = await runFake(['migrate', '101', 'node2'], { cluster: cluster([...looks, ended()]) });
    expect(result.err.match(/round/g)).toHaveLength(1);
  });

  test('tells programs phases and progress, then the story, one JSON object a line', async () => {
    const result = await runFake(['migrate', '101', 'node2', '--json'], { cluster: cluster([running(), running(), running({ round: 3 }), ended()]) });
    const lines = result.out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { event: 'phase', vmid: 101, id: '101-7', phase: 'pre-copy' },
      { event: 'progress', round: 2, bytesSent: 412 * 2 ** 20 },
      { event: 'progress', round: 3 },
      { event: 'phase', phase: 'done' },
      { event: 'ended', story: { outcome: 'migrated', blackout: { stopToResumeMs: 47 } }, error: null },
    ]);
    expect(result.err).toBe('');
  });

  test('prints every finding of a refusal with its remedy and exits with 3', async () => {
    const findings = [
      { id: 'bridge-missing', severity: 'blocker', text: 'node2 has no bridge vmbr7', remedy: 'Create vmbr7 on node2' },
      { id: 'memory-short', severity: 'blocker', text: 'node2 has 100 MiB free', remedy: 'Free memory on node2' },
    ];
    const refused = ended({
      story: story({ outcome: null, phase: 'validate' }),
      failure: failure('migration-refused', 'Cannot migrate guest 101: 2 blockers', { findings }),
    });
    const result = await runFake(['migrate', '101', 'node2'], { cluster: cluster([refused]) });
    expect(result.exitCode).toBe(3);
    for (const { id, text, remedy } of findings) expect(result.err).toContain(`blocker ${id}: ${text}\n    → ${remedy}`);
    const forPrograms = await runFake(['migrate', '101', 'node2', '--json'], { cluster: cluster([refused]) });
    expect(JSON.parse(forPrograms.out.trim().split('\n').at(-1) ?? '')).toMatchObject({
      event: 'ended',
      error: { code: 'migration-refused', findings, exitCode: 3 },
    });
  });

  test.each([
    ['deadline-exceeded', 4],
    ['stream-failed', 1],
    ['already-migrating', 3],
  ] as const)('exits after %s with %i', async (code, exitCode) => {
    const result = await runFake(['migrate', '101', 'node2'], { cluster: cluster([ended({ failure: failure(code) })]) });
    expect(result.exitCode).toBe(exitCode);
  });

  test('exits with 1 when it ended without failure and without moving the guest', async () => {
    const result = await runFake(['migrate', '101', 'node2'], { cluster: cluster([ended({ story: story({ outcome: 'abandoned' }) })]) });
    expect(result.exitCode).toBe(1);
    expect(result.err).toContain('Guest 101 abandoned');
  });

  test('lets go at Ctrl-C, cancels nothing and says how to come back', async () => {
    let interrupt: () => void = () => undefined;
    let aborted = false;
    const result = await runFake(['migrate', '101', 'node2'], {
      onReady: (send) => (interrupt = send),
      cluster: {
        startMigration: () => Promise.resolve(ref),
        async *watchMigration(_, { signal } = {}) {
          yield running();
          interrupt();
          aborted = signal?.aborted === true;
          await Promise.resolve();
        },
      },
    });
    expect(aborted).toBe(true);
    expect(result.exitCode).toBe(130);
    expect(result.err).toContain('kedge migration watch 101-7');
  });

  test('starts what was asked for even when Ctrl-C comes before the answer, and says how to come back', async () => {
    let interrupt: () => void = () => undefined;
    const result = await runFake(['migrate', '101', 'node2'], {
      onReady: (send) => (interrupt = send),
      cluster: {
        startMigration: () => (interrupt(), Promise.resolve(ref)),
        watchMigration: (_, { signal } = {}) => viewsOf(signal?.aborted === true ? [] : [ended()]),
      },
    });
    expect(result.exitCode).toBe(130);
    expect(result.err).toContain('kedge migration watch 101');
  });

  test('does not wait with --detach', async () => {
    const result = await runFake(['migrate', '101', 'node2', '--detach'], { cluster: { startMigration: () => Promise.resolve(ref) } });
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(result.out).toContain('kedge migration watch 101');
  });

  test.each([
    [['migrate', '99', 'node2'], '"99", must be a number from 100'],
    [['migrate', '101', 'no_de'], '"no_de", must be up to 63 letters'],
    [['migrate', '101', 'node2', '--bwlimit', 'x'], '"x", must be a whole number'],
    [['migrate', '101', 'node2', '--timeout', '5 minutes'], '"5 minutes", must be a span'],
    [['migrate', '101', 'node2', '--type', 'fast'], 'Allowed choices are secure, insecure'],
    [['migrate', '101', 'node2', '--until', '+5m'], 'without --hold'],
    [['migrate', '101', 'node2', '--hold', '--until', 'tomorrow'], 'must be an instant with a time zone'],
    [['migrate', '101'], "missing required argument 'target'"],
    [['migrate', '101', 'node2', '--fast'], "unknown option '--fast'"],
  ])('refuses %j as bad usage and names the value', async (argv, text) => {
    const result = await runFake(argv);
    expect(result.exitCode).toBe(2);
    expect(result.err).toContain(text);
    const forPrograms = await runFake([...argv, '--json']);
    expect(forPrograms).toMatchObject({ exitCode: 2, err: '' });
    expect(JSON.parse(forPrograms.out)).toMatchObject({ error: { code: 'bad-input' } });
  });
});
