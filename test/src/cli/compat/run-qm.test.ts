import { describe, expect, test } from 'vitest';
import type { MigrationView } from '../../../../src/client/migration-view.js';
import type { Cluster } from '../../../../src/cli/cluster.js';
import { runQm } from '../../../../src/cli/compat/run-qm.js';
import type { MigrateGuestInput } from '../../../../src/domain/migration.js';
import { fakeContext, viewsOf } from '../fake-cluster.js';
import { ended, failure, guest, node1, nodeStatus, nodeWith, running, story } from '../stories.js';

async function qm(argv: readonly string[], cluster: Partial<Cluster> = {}) {
  const { context, seen } = fakeContext({ cluster });
  const exitCode = await runQm(argv, { ...context, setExitCode: () => undefined });
  return { ...seen, exitCode };
}

const migrating = (views: readonly MigrationView[], inputs: MigrateGuestInput[] = []): Partial<Cluster> => ({
  startMigration: (input) => (inputs.push(input), Promise.resolve(ended().ref)),
  watchMigration: () => viewsOf(views),
});

describe('qm migrate', () => {
  test('moves a guest with a log in the form of PVE', async () => {
    const inputs: MigrateGuestInput[] = [];
    const result = await qm(['mig', '101', 'node2', '-online', '--bwl', '2048', '--migration_type', 'insecure'], migrating([running(), ended()], inputs));
    expect(inputs).toMatchObject([{ vmid: 101, target: 'node2', options: { online: true, type: 'insecure', bandwidthLimit: 2048 * 1024 } }]);
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(result.out.replaceAll(/^\S+ \S+ /gm, '')).toBe(
      [
        "starting migration of VM 101 to node 'node2'",
        'phase: pre-copy',
        'migration active, transferred 412 MiB of 512 MiB VM-state, 310 MiB/s',
        'migration status: completed, downtime 47 ms',
        'migration finished successfully (duration 00:00:00)',
        '',
      ].join('\n'),
    );
  });

  test('exits with 255 and the reason when the task ends in error', async () => {
    const failed = ended({ story: story({ outcome: 'rolled-back' }), failure: failure('stream-failed', 'Cannot copy') });
    const result = await qm(['migrate', '101', 'node2', '--online'], migrating([failed]));
    expect(result.exitCode).toBe(255);
    expect(result.out).toContain('ERROR: migration aborted (duration 00:00:00): Cannot copy');
    expect(result.err).toBe('migration aborted\n');
  });

  test('refuses a running VM without --online in the words of PVE', async () => {
    const result = await qm(['migrate', '101', 'node2'], { listNodes: () => Promise.resolve([nodeStatus()]) });
    expect(result).toMatchObject({ exitCode: 255, err: "can't migrate running VM without --online\n" });
  });

  test.each(['--with-local-disks', '--targetstorage=local', '--force', '--migration_network=10.0.0.0/8', '--with-conntrack-state'])(
    'refuses %s by name',
    async (option) => {
      const result = await qm(['migrate', '101', 'node2', '--online', option]);
      expect(result.exitCode).toBe(255);
      expect(result.err).toContain(`option '${/^--([^=]+)/.exec(option)?.[1] ?? ''}' is not supported`);
      expect(result.err).toContain('USAGE: qm migrate <vmid> <target> [OPTIONS]');
    },
  );
});

describe('qm', () => {
  test('lists guests in the columns of PVE', async () => {
    const result = await qm(['list'], { listNodes: () => Promise.resolve([nodeWith(node1, guest(), guest({ record: 'released' }))]) });
    expect(result.out).toBe(
      '      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n       101 web                  running    512                   - -         \n',
    );
  });

  test('tells the status, a paused guest being a running process', async () => {
    const cluster = { listNodes: () => Promise.resolve([nodeWith(node1, guest({ qemu: 'paused' }))]) };
    expect((await qm(['status', '101'], cluster)).out).toBe('status: running\n');
    expect((await qm(['status', '101', '--verbose'], cluster)).out).toContain('qmpstatus: paused\n');
    expect((await qm(['status', '102'], cluster)).exitCode).toBe(255);
  });

  test('passes shutdown on with its timeout in seconds', async () => {
    const asked: unknown[] = [];
    const cluster: Partial<Cluster> = { manageGuest: (request) => (asked.push(request), Promise.resolve({ guest: null, config: null })) };
    expect((await qm(['shutdown', '101', '--timeout', '5'], cluster)).exitCode).toBe(0);
    expect(asked).toEqual([{ command: { verb: 'shutdown', vmid: 101, timeoutMs: 5_000 } }]);
  });

  test.each([
    [[], 'ERROR: no command specified'],
    [['explode'], "ERROR: unknown command 'qm explode'"],
    [['st', '101'], "ERROR: unknown command 'qm st'"],
    [['status'], '400 not enough arguments'],
    [['status', '7'], 'vmid: invalid format'],
    [['migrate', '101', 'no_de', '--online'], 'target: invalid format'],
  ])('exits with 255 and usage after %j', async (argv, text) => {
    const result = await qm(argv);
    expect(result.exitCode).toBe(255);
    expect(result.err).toContain(text);
    expect(result.err).toContain('USAGE: qm');
  });
});
