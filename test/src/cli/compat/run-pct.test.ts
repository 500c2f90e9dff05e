import { describe, expect, test } from 'vitest';
import type { MigrationView } from '../../../../src/client/migration-view.js';
import type { Cluster } from '../../../../src/cli/cluster.js';
import { runPct } from '../../../../src/cli/compat/run-pct.js';
import type { MigrateGuestInput } from '../../../../src/domain/migration.js';
import type { GuestSummary } from '../../../../src/domain/node-facts.js';
import { fakeContext, viewsOf } from '../fake-cluster.js';
import { ended, failure, guest, node1, node2, nodeWith, running, story } from '../stories.js';

async function pct(argv: readonly string[], cluster: Partial<Cluster> = {}) {
  const { context, seen } = fakeContext({ cluster });
  const exitCode = await runPct(argv, { ...context, setExitCode: () => undefined });
  return { ...seen, exitCode };
}

const having = (changes: Partial<GuestSummary> = {}): Partial<Cluster> => ({
  nodes: [node1, node2],
  listNodes: () => Promise.resolve([nodeWith(node1, guest({ kind: 'lxc', ...changes })), nodeWith(node2)]),
});
const OFF = { qemu: 'gone', wanted: 'stopped' } as const;

const migrating = (views: readonly MigrationView[], seen: { inputs?: MigrateGuestInput[]; changes?: Partial<GuestSummary> } = {}): Partial<Cluster> => ({
  ...having(seen.changes),
  startMigration: (input) => (seen.inputs?.push(input), Promise.resolve(ended().ref)),
  watchMigration: () => viewsOf(views),
});
const restarted = story({ kind: 'restart', blackout: null, downtimeMs: 900 });
const at = (phase: 'pre-sync' | 'shutdown' | 'final-sync' | 'verify' | 'start', changes = {}): MigrationView => ({
  ...running({ phase, ...changes }),
  story: restarted,
});
const withoutTimes = (log: string): readonly string[] => log.replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /gm, '').split('\n');

describe('pct migrate', () => {
  test('shuts a running container down, moves it and starts it', async () => {
    const inputs: MigrateGuestInput[] = [];
    const views = [
      at('pre-sync'),
      { ...at('shutdown'), progress: null },
      at('final-sync'),
      at('verify', { bytesSent: 2 ** 20, files: { done: 3, total: 9 } }),
      { ...at('start'), progress: null },
      ended({ story: restarted }),
    ];
    const argv = ['migrate', '101', 'node2', '-res', '--target-storage', 'fast', '--bwlimit', '100.5', '--timeout=30'];
    const result = await pct(argv, migrating(views, { inputs }));
    expect(inputs).toMatchObject([
      {
        vmid: 101,
        target: 'node2',
        options: { restart: true, targetStorage: 'fast', bandwidthLimit: 100.5 * 1024, shutdownTimeoutMs: 30_000, onShutdownTimeout: 'fail' },
      },
    ]);
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(withoutTimes(result.out)).toEqual([
      "starting migration of CT 101 to node 'node2' (address-of-node2)",
      'copying local disk images while the guest runs',
      'copied 412 MiB of 512 MiB, 310 MiB/s',
      'shutdown CT 101',
      'copying local disk images',
      'copied 412 MiB of 512 MiB, 310 MiB/s',
      'phase: verify',
      'compared 1.00 MiB of 512 MiB, 3 of 9 files, 310 MiB/s',
      'start container on target node',
      'migration finished successfully (duration 00:00:00)',
      '',
    ]);
  });

  test('waits 180 s for the shutdown unless told otherwise, and never kills', async () => {
    const inputs: MigrateGuestInput[] = [];
    await pct(['migrate', '101', 'node2', '--restart'], migrating([ended({ story: restarted })], { inputs }));
    expect(inputs[0]?.options).toEqual({ restart: true, shutdownTimeoutMs: 180_000, onShutdownTimeout: 'fail' });
  });

  test('says in the words of PVE that the container did not stop', async () => {
    const cause = { code: 'shutdown-timeout', message: 'Container 101 did not shut down in 180 s' };
    const failed = ended({ story: story({ outcome: 'rolled-back' }), failure: failure('rolled-back', 'Migration 101-7 ended', { cause }) });
    const result = await pct(['migrate', '101', 'node2', '--restart'], migrating([failed]));
    expect(result).toMatchObject({ exitCode: 255, err: 'migration aborted\n' });
    expect(result.out).toContain('ERROR: migration aborted (duration 00:00:00): container did not stop\n');
  });

  test.each([[[]], [['--restart']], [['--online']]])('moves a stopped one as it is, with %j', async (options) => {
    const inputs: MigrateGuestInput[] = [];
    const done = ended({ story: story({ kind: 'offline', blackout: null }) });
    const result = await pct(['migrate', '101', 'node2', ...options], migrating([done], { inputs, changes: OFF }));
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(inputs[0]?.options?.online).toBeUndefined();
  });

  test('refuses a running one without --restart', async () => {
    expect(await pct(['migrate', '101', 'node2'], having())).toMatchObject({
      exitCode: 255,
      out: '',
      err: "can't migrate running container without --online or --restart\n",
    });
  });

  test.each([[['--online']], [['--online', '1', '--restart']]])('dies as PVE does with %j', async (options) => {
    const result = await pct(['migrate', '101', 'node2', ...options], having());
    expect(result).toMatchObject({ exitCode: 255, err: 'migration aborted\n' });
    expect(withoutTimes(result.out)).toEqual(['ERROR: migration aborted (duration 00:00:00): lxc live migration is currently not implemented', '']);
  });

  test.each<[readonly string[], string]>([
    [['node1'], 'target: target is local node.'],
    [['node9'], "no such cluster node 'node9'"],
    [['node2', '--target-storage', '1,aa'], 'target-storage: failed to parse storage map: identity mapping cannot be combined with other mappings'],
    [['node2', '--targetstorage', 'aa'], 'Unknown option: targetstorage'],
    [['node2', '--migration_type', 'secure'], 'Unknown option: migration_type'],
    [['node2', '--bwlimit', 'x'], "bwlimit: type check ('number') failed - got 'x'"],
    [['node2', '--bwlimit', '-0.5'], 'bwlimit: value must have a minimum value of 0'],
    [['node2', '--timeout', '1.5'], "timeout: type check ('integer') failed"],
  ])('refuses %j before anything starts', async (words, text) => {
    const result = await pct(['migrate', '101', ...words, '--restart'], having());
    expect(result).toMatchObject({ exitCode: 255, out: '' });
    expect(result.err).toContain(text);
  });
});

describe('pct', () => {
  test('lists containers in the columns of PVE', async () => {
    const result = await pct(['list'], {
      listNodes: () => Promise.resolve([nodeWith(node1, guest(), guest({ kind: 'lxc', name: 'ct', qemu: 'gone' }))]),
    });
    expect(result.out).toBe('VMID       Status     Lock         Name                \n101        stopped                 ct                  \n');
  });

  test('tells the status', async () => {
    expect((await pct(['status', '101'], having())).out).toBe('status: running\n');
    expect((await pct(['status', '101', '-verbose'], having())).out).toContain('type: lxc\n');
    expect((await pct(['status', '101'], having({ kind: 'qemu' }))).err).toBe("Configuration file 'nodes/*/lxc/101.conf' does not exist\n");
  });

  test.each([
    [['start', '101'], { verb: 'start', vmid: 101 }],
    [['stop', '101'], { verb: 'stop', vmid: 101 }],
    [['shutdown', '101'], { verb: 'shutdown', vmid: 101, timeoutMs: 60_000 }],
    [['shut', '101', '--timeout', '5'], { verb: 'shutdown', vmid: 101, timeoutMs: 5_000 }],
  ])('passes %j on', async (argv, command) => {
    const asked: unknown[] = [];
    const result = await pct(argv, { ...having(), manageGuest: (request) => (asked.push(request), Promise.resolve({ guest: null, config: null })) });
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(asked).toEqual([{ command }]);
  });

  test('calls itself by its name in usage and errors', async () => {
    const result = await pct(['explode']);
    expect(result.exitCode).toBe(255);
    expect(result.err).toContain("ERROR: unknown command 'pct explode'\nUSAGE: pct <COMMAND>");
    expect(result.err).toContain('pct migrate <vmid> <target> [OPTIONS]');
  });
});
