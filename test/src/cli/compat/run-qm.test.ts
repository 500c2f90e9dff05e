import { describe, expect, test } from 'vitest';
import type { MigrationView } from '../../../../src/client/migration-view.js';
import type { Cluster } from '../../../../src/cli/cluster.js';
import { runQm } from '../../../../src/cli/compat/run-qm.js';
import type { MigrateGuestInput } from '../../../../src/domain/migration.js';
import type { GuestSummary } from '../../../../src/domain/node-facts.js';
import { fakeContext, viewsOf } from '../fake-cluster.js';
import { ended, failure, guest, node1, node2, nodeWith, running, story } from '../stories.js';

async function qm(argv: readonly string[], cluster: Partial<Cluster> = {}) {
  const { context, seen } = fakeContext({ cluster });
  const exitCode = await runQm(argv, { ...context, setExitCode: () => undefined });
  return { ...seen, exitCode };
}

/** A cluster of two nodes with this guest on the first. */
const having = (changes: Partial<GuestSummary> = {}): Partial<Cluster> => ({
  nodes: [node1, node2],
  listNodes: () => Promise.resolve([nodeWith(node1, guest(changes)), nodeWith(node2)]),
});
const OFF = { qemu: 'gone', wanted: 'stopped' } as const;

const migrating = (views: readonly MigrationView[], seen: { inputs?: MigrateGuestInput[]; changes?: Partial<GuestSummary> } = {}): Partial<Cluster> => ({
  ...having(seen.changes),
  startMigration: (input) => (seen.inputs?.push(input), Promise.resolve(ended().ref)),
  watchMigration: () => viewsOf(views),
});
const withoutTimes = (log: string): readonly string[] => log.replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /gm, '').split('\n');
const off = story({ kind: 'offline', blackout: null });

describe('qm migrate of a running VM', () => {
  test('moves it live with a log in the form of PVE', async () => {
    const inputs: MigrateGuestInput[] = [];
    const result = await qm(
      ['mig', '101', 'node2', '-online', '--bwl', '2048', '--migration_type', 'insecure', '--force', '0'],
      migrating([running(), { ...running(), phase: 'done', progress: null }, ended()], { inputs }),
    );
    expect(inputs).toMatchObject([{ vmid: 101, target: 'node2', options: { online: true, type: 'insecure', bandwidthLimit: 2048 * 1024 } }]);
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(withoutTimes(result.out)).toEqual([
      "starting migration of VM 101 to node 'node2' (address-of-node2)",
      'starting online/live migration',
      'migration active, transferred 412 MiB of 512 MiB VM-state, 310 MiB/s',
      'average migration speed: 152 MiB/s - downtime 47 ms',
      'migration completed, transferred 563 MiB VM-state',
      'migration finished successfully (duration 00:00:00)',
      '',
    ]);
  });

  test('exits with 255 and the reason when the task ends in error', async () => {
    const failed = ended({ story: story({ outcome: 'rolled-back' }), failure: failure('stream-failed', 'Cannot copy') });
    const result = await qm(['migrate', '101', 'node2', '--online'], migrating([failed]));
    expect(result.exitCode).toBe(255);
    expect(result.out).toContain('ERROR: migration aborted (duration 00:00:00): Cannot copy');
    expect(result.err).toBe('migration aborted\n');
  });

  test('tells of findings on standard error, each with its remedy', async () => {
    const findings = [{ id: 'disk-local', severity: 'blocker', text: 'virtio0 lies on node1 alone', remedy: 'Shut it down' }];
    const refused = ended({ story: story({ outcome: null }), failure: failure('migration-refused', 'Cannot migrate', { findings }) });
    const result = await qm(['migrate', '101', 'node2', '--online'], migrating([refused]));
    expect(result.err).toBe('migration aborted\nblocker disk-local: virtio0 lies on node1 alone (Shut it down)\n');
  });

  test('is refused in the words of PVE, each volume with a line of its own', async () => {
    const subject = { keys: ['scsi0'], volume: '/dev/sdb' };
    const findings = [{ id: 'local-device', severity: 'blocker', text: 'scsi0 is /dev/sdb of this node', remedy: 'Remove it', subject }];
    const refused = ended({ story: story({ outcome: null }), failure: failure('migration-refused', 'Cannot migrate', { findings }) });
    const result = await qm(['migrate', '101', 'node2', '--online'], migrating([refused]));
    expect(withoutTimes(result.out)).toEqual([
      "starting migration of VM 101 to node 'node2' (address-of-node2)",
      "can't migrate local disk '/dev/sdb': local file/device",
      "ERROR: migration aborted (duration 00:00:00): Problem found while scanning volumes - can't migrate VM - check log",
      '',
    ]);
    expect(result.err).toBe('migration aborted\nblocker local-device: scsi0 is /dev/sdb of this node (Remove it)\n');
  });

  test('finishes with problems when its memory was lost on the way', async () => {
    const result = await qm(['migrate', '101', 'node2', '--online'], migrating([ended({ story: story({ outcome: 'guest-lost-memory' }) })]));
    expect(result).toMatchObject({ exitCode: 255, err: 'migration problems\n' });
    expect(result.out).toContain('migration finished with problems (duration 00:00:00)');
  });

  test.each([[[]], [['--online', 'no']], [['--online=0']]])('refuses it without --online in the words of PVE: %j', async (options) => {
    expect(await qm(['migrate', '101', 'node2', ...options], having())).toMatchObject({
      exitCode: 255,
      out: '',
      err: "can't migrate running VM without --online\n",
    });
  });

  test.each([{ qemu: 'paused' }, { qemu: 'unreachable' }] as const)('takes %j for running', async (changes) => {
    expect((await qm(['migrate', '101', 'node2'], having(changes))).err).toBe("can't migrate running VM without --online\n");
  });

  test.each(['--with-local-disks', '--force', '-with-conn', '--force=1'])('refuses %s by name', async (option) => {
    const result = await qm(['migrate', '101', 'node2', '--online', option], having());
    expect(result.exitCode).toBe(255);
    expect(result.err).toMatch(/option '(?:with-local-disks|force|with-conntrack-state)' is not supported: .+/);
    expect(result.err).toContain('USAGE: qm migrate <vmid> <target> [OPTIONS]');
  });
});

describe('qm migrate of a stopped VM', () => {
  const done = ended({ story: off });

  test('moves it with its disks', async () => {
    const inputs: MigrateGuestInput[] = [];
    const argv = ['migrate', '101', 'node2', '--targetstorage', 'local:fast,shared', '-with-local-disks', '--migration_network=10.1.0.0/16', '--bwlimit=0'];
    const copying = { ...running({ phase: 'final-sync' }), story: off };
    const result = await qm(argv, migrating([copying, done], { inputs, changes: OFF }));
    expect(inputs).toMatchObject([{ options: { online: false, targetStorage: 'local:fast,shared', network: '10.1.0.0/16', bandwidthLimit: 0 } }]);
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(withoutTimes(result.out)).toEqual([
      "starting migration of VM 101 to node 'node2' (address-of-node2)",
      'copying local disk images',
      'copied 412 MiB of 512 MiB, 310 MiB/s',
      'migration finished successfully (duration 00:00:00)',
      '',
    ]);
  });

  test('warns and goes on offline when --online was given', async () => {
    const inputs: MigrateGuestInput[] = [];
    const result = await qm(['migrate', '101', 'node2', '--online'], migrating([done], { inputs, changes: OFF }));
    expect(result).toMatchObject({ exitCode: 0, err: "VM isn't running. Doing offline migration instead.\n" });
    expect(inputs[0]?.options).toEqual({ online: false });
  });

  test('says nothing of a shutdown and a start that there is not', async () => {
    const passing = (['pre-sync', 'shutdown', 'start'] as const).map((phase) => ({ ...running(), phase, progress: null, story: off }));
    const { out } = await qm(['migrate', '101', 'node2'], migrating([...passing, done], { changes: OFF }));
    expect(out).not.toMatch(/shutdown|start VM|copying/);
  });

  test('takes what was not typed from the config files', async () => {
    const inputs: MigrateGuestInput[] = [];
    const asked: (string | null)[] = [];
    await qm(['migrate', '101', 'node2'], {
      ...migrating([done], { inputs, changes: OFF }),
      migrationDefaults: { type: 'insecure', network: '10.2.0.0/16' },
      migrationAddress: (_, network) => (asked.push(network), '10.2.0.12'),
    });
    expect(inputs[0]?.options).toEqual({ type: 'insecure', network: '10.2.0.0/16', online: false });
    expect(asked).toEqual(['10.2.0.0/16']);
  });
});

describe('qm migrate', () => {
  test.each<[readonly string[], string]>([
    [['node1'], 'target: target is local node.'],
    [['node9'], "no such cluster node 'node9'"],
    [['no_de'], 'target: invalid format'],
    [['node2', '--targetstorage', 'a:b,a:c'], "targetstorage: failed to parse storage map: entry 'a:b' contains invalid ID"],
    [['node2', '--targetstorage', 'aa:bb,aa:cc'], "targetstorage: failed to parse storage map: duplicate mapping for source 'aa'"],
    [['node2', '--targetstorage', '1,aa'], 'identity mapping cannot be combined with other mappings'],
    [['node2', '--migration_network', '10.1.0.1'], 'migration_network: invalid format'],
    [['node2', '--migration_type', 'ssh'], "value 'ssh' does not have a value in the enumeration 'secure, insecure'"],
    [['node2', '--bwlimit', '1.5'], "bwlimit: type check ('integer') failed - got '1.5'"],
    [['node2', '--migration', 'secure'], 'Option migration is ambiguous'],
  ])('refuses %j before anything starts', async ([target = '', ...options], text) => {
    const result = await qm(['migrate', '101', target, '--online', ...options], having());
    expect(result).toMatchObject({ exitCode: 255, out: '' });
    expect(result.err).toContain(text);
  });

  test.each([having({ kind: 'lxc' }), having({ record: 'released' })])('knows no container, and no guest that a node does not own', async (cluster) => {
    expect(await qm(['migrate', '101', 'node2'], cluster)).toMatchObject({
      exitCode: 255,
      err: "Configuration file 'nodes/*/qemu-server/101.conf' does not exist\n",
    });
  });

  test('lets go at Ctrl-C and says how to come back', async () => {
    const result = await qm(['migrate', '101', 'node2', '--online'], migrating([running()]));
    expect(result.exitCode).toBe(130);
    expect(result.err).toContain('kedge migration watch 101');
  });
});

describe('qm', () => {
  test('lists guests in the columns of PVE, containers left out', async () => {
    const result = await qm(['list'], {
      listNodes: () => Promise.resolve([nodeWith(node1, guest(), guest({ record: 'released' }), guest({ kind: 'lxc', name: 'ct' }))]),
    });
    expect(result.out).toBe(
      '      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n       101 web                  running    512                   - -         \n',
    );
  });

  test('tells the status, a paused guest being a running process', async () => {
    const cluster = having({ qemu: 'paused' });
    expect((await qm(['status', '101'], cluster)).out).toBe('status: running\n');
    expect((await qm(['status', '101', '--verbose'], cluster)).out).toContain('qmpstatus: paused\n');
    expect((await qm(['status', '102'], cluster)).exitCode).toBe(255);
  });

  test('passes shutdown on with its timeout in seconds', async () => {
    const asked: unknown[] = [];
    const cluster: Partial<Cluster> = { ...having(), manageGuest: (request) => (asked.push(request), Promise.resolve({ guest: null, config: null })) };
    expect((await qm(['shutdown', '101', '--timeout', '5'], cluster)).exitCode).toBe(0);
    expect(asked).toEqual([{ command: { verb: 'shutdown', vmid: 101, timeoutMs: 5_000 } }]);
  });

  test('stops no container', async () => {
    expect((await qm(['stop', '101'], having({ kind: 'lxc' }))).err).toContain("qemu-server/101.conf' does not exist");
  });

  test.each([
    [[], 'ERROR: no command specified'],
    [['explode'], "ERROR: unknown command 'qm explode'"],
    [['st', '101'], "ERROR: unknown command 'qm st'"],
    [['status'], '400 not enough arguments'],
    [['status', '7'], 'vmid: invalid format'],
    [['migrate', '101', 'node2', 'more'], '400 too many arguments'],
  ])('exits with 255 and usage after %j', async (argv, text) => {
    const result = await qm(argv);
    expect(result.exitCode).toBe(255);
    expect(result.err).toContain(text);
    expect(result.err).toContain('USAGE: qm');
  });

  test('explains the options that it supports', async () => {
    const { out, exitCode } = await qm(['help', 'migrate']);
    expect(exitCode).toBe(0);
    expect(out).toContain('-targetstorage <string>');
    expect(out).not.toContain('-force');
  });
});
