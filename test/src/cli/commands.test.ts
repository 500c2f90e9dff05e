import { describe, expect, test } from 'vitest';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { MigrationView } from '../../../src/client/migration-view.js';
import { DEFAULT_MIGRATION_OPTIONS, type MigrateGuestInput } from '../../../src/domain/migration.js';
import { viewsOf, runFake } from './fake-cluster.js';
import { ended, failure, guest, node1, node2, nodeStatus, nodeWith, running, story } from './stories.js';

describe('kedge migration', () => {
  test('shows the whole story', async () => {
    const result = await runFake(['migration', 'show', '101-7'], { cluster: { showMigration: () => Promise.resolve(ended()) } });
    expect(result.exitCode).toBe(0);
    expect(result.out).toMatchInlineSnapshot(`
      "Migration 101-7: migrated
        guest     101
        way       node1 → node2
        asked by  root@workstation
        started   2026-03-01T12:00:00.000Z, took 4.2 s
        settings  live, secure, bandwidth as the storages and datacenter.cfg have it, downtime as the guest's config has it, no timeout, when it stalls: abort
        RAM sent  563 MiB in 2 rounds
        blackout  47 ms from STOP to RESUME, QEMU's own count 39 ms

      STEP      OUTCOME  STARTED        TOOK  FAILURE
      validate  done     12:00:00.010  80 ms
      pre-copy  done     12:00:00.300  3.7 s

      ROUND     SENT      LEFT    TOOK
          1  512 MiB  50.0 MiB   3.0 s
          2  562 MiB  1.00 MiB  600 ms
      "
    `);
  });

  test('tells of copied disks, not of RAM, where the guest was shut down or off', async () => {
    const copied = story({
      kind: 'restart',
      blackout: null,
      downtimeMs: 41_000,
      options: { ...DEFAULT_MIGRATION_OPTIONS, restart: true, keepSource: true, targetStorage: 'fast' },
      rounds: [
        { round: 1, bytesLeft: 0, bytesSent: 512 * 2 ** 20, durationMs: 3_000 },
        { round: 2, bytesLeft: 0, bytesSent: 51 * 2 ** 20, durationMs: 600 },
      ],
      steps: [],
    });
    const show = (changes: Partial<typeof copied>) =>
      runFake(['migration', 'show', '101-7'], { cluster: { showMigration: () => Promise.resolve(ended({ story: { ...copied, ...changes } })) } });
    expect((await show({})).out).toMatchInlineSnapshot(`
      "Migration 101-7: migrated
        guest     101
        way       node1 → node2
        asked by  root@workstation
        started   2026-03-01T12:00:00.000Z, took 4.2 s
        settings  restart, bandwidth as the storages and datacenter.cfg have it, storages fast, shutdown within 3 m 00 s, else fail, disks kept on the source, no timeout
        disks     563 MiB sent in 2 passes
        downtime  41 s from its shutdown to its start

      PASS      SENT    TOOK
         1   512 MiB   3.0 s
         2  51.0 MiB  600 ms
      "
    `);
    const off = await show({ kind: 'offline', downtimeMs: null, rounds: copied.rounds.slice(0, 1) });
    expect(off.out).toMatch(/disks +563 MiB sent in 1 pass\n +downtime +none counted: it was off before\n/);
    expect(off.out).not.toMatch(/RAM|blackout|stalls|shutdown within/);
  });

  test.for([
    [
      running({ phase: 'verify', files: { done: 12, total: 40 } }),
      'verify · 412 MiB compared, 88.0 MiB left of 512 MiB · 12 of 40 files · 310 MiB/s · ETA 2.0 s',
    ],
    [running({ phase: 'final-sync', etaSeconds: null }), 'final-sync · pass 2 · 412 MiB done, 88.0 MiB left of 512 MiB · 310 MiB/s · ETA ?'],
  ] as const)('tells how far the copy is that is made now: %#', async ([view, text]) => {
    const result = await runFake(['migration', 'show', '101'], { cluster: { showMigration: () => Promise.resolve(view) } });
    expect(result.out).toContain(`  now       ${text}\n`);
  });

  test('shows the open question with the command for each answer', async () => {
    const question = {
      step: 'release',
      code: 'storage-failed',
      message: 'Cannot remove the config',
      since: '2026-03-01T12:00:05Z',
      choices: { retry: 'tries again', skip: 'leaves the config', abandon: 'ends the migration' },
    } as const;
    const parked = ended({ status: 'running', story: story({ phase: 'needs-operator', outcome: null, endedAt: null, question }) });
    const result = await runFake(['migration', 'show', '101'], { cluster: { showMigration: () => Promise.resolve(parked) } });
    expect(result.out).toContain('Cannot remove the config [storage-failed]');
    expect(result.out).toContain('kedge migration decide 101-7 skip     leaves the config');
  });

  test('shows the calls that are being repeated, each with the reason', async () => {
    const call = { name: 'prepareTarget', state: 'scheduled', attempt: 7, lastFailure: 'The monitor gave no answer', heartbeatAgeMs: null } as const;
    const stuck: MigrationView = { ...running(), activities: [call, { ...call, name: 'inspectTarget', attempt: 1 }] };
    const result = await runFake(['migration', 'show', '101'], { cluster: { showMigration: () => Promise.resolve(stuck) } });
    expect(result.out).toContain('repeated  prepareTarget attempt 7 (The monitor gave no answer)');
    expect(result.out).not.toContain('inspectTarget');
  });

  test('shows why it failed below the story, the command itself having succeeded', async () => {
    const refused = ended({ story: story({ outcome: null, steps: [], rounds: [] }), failure: failure('migration-refused', 'Cannot migrate guest 101') });
    const result = await runFake(['migration', 'show', '101'], { cluster: { showMigration: () => Promise.resolve(refused) } });
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(result.out).toMatch(/^Migration 101-7: failed\n/);
    expect(result.out).toContain('error Cannot migrate guest 101 [migration-refused]');
  });

  test.each([
    [{ bandwidthLimit: 0, maxDowntimeMs: 80 }, 'no bandwidth limit, downtime up to 80 ms'],
    [{ bandwidthLimit: 2 ** 20, network: '10.1.0.0/24' }, 'over 10.1.0.0/24, at most 1.00 MiB/s'],
  ])('tells a limit of 0 from a real one and from none given: %j', async (changes, text) => {
    const told = ended({ story: story({ options: { ...DEFAULT_MIGRATION_OPTIONS, ...changes } }) });
    const result = await runFake(['migration', 'show', '101'], { cluster: { showMigration: () => Promise.resolve(told) } });
    expect(result.out).toContain(text);
  });

  test('asks for the migration that was typed, by id or by vmid', async () => {
    const asked: unknown[] = [];
    const cluster = { showMigration: (id: unknown) => (asked.push(id), Promise.resolve(ended())) };
    await runFake(['migration', 'show', '101-7', '--json'], { cluster });
    await runFake(['migration', 'show', '101', '--json'], { cluster });
    expect(asked).toEqual(['101-7', '101']);
  });

  test('lists as a table and as JSON', async () => {
    const views = [ended({ startedAt: '2026-03-01T11:57:05Z', endedAt: '2026-03-01T11:57:09Z' }), ended({ failure: failure('stream-failed') })];
    const cluster = { listMigrations: () => Promise.resolve(views) };
    const text = await runFake(['migration', 'list'], { cluster });
    expect(text.out.split('\n').slice(0, 3)).toEqual([
      'ID     STATE                  SOURCE  TARGET       AGE   TOOK',
      '101-7  migrated               node1   node2   3 m 05 s  4.0 s',
      '101-7  failed: stream-failed  node1   node2       10 s  4.2 s',
    ]);
    const json = await runFake(['migration', 'list', '--json'], { cluster });
    expect(JSON.parse(json.out)).toEqual(views);
  });

  test('prints the reason of a refused cancel and exits with 3', async () => {
    const refusal = new KedgeError('cancel-refused', 'Cannot cancel migration 101-7: the switchover has begun');
    const result = await runFake(['migration', 'cancel', '101-7'], { cluster: { cancelMigration: () => Promise.reject(refusal) } });
    expect(result).toMatchObject({ exitCode: 3, closed: true });
    expect(result.err).toBe('error Cannot cancel migration 101-7: the switchover has begun [cancel-refused]\n→ Let the migration end, then migrate back\n');
  });

  test('passes a decision on, and refuses one that it does not know', async () => {
    const decided: unknown[] = [];
    const cluster = { decideMigration: (_: unknown, decision: unknown) => (decided.push(decision), Promise.resolve()) };
    expect((await runFake(['migration', 'decide', '101-7', 'abandon'], { cluster })).exitCode).toBe(0);
    expect((await runFake(['migration', 'decide', '101-7', 'forget'], { cluster })).exitCode).toBe(2);
    expect(decided).toEqual(['abandon']);
  });

  test('takes a node for dead only from somebody who types its name, and tells the risk otherwise', async () => {
    const decided: unknown[] = [];
    const question = {
      step: 'switchover',
      code: 'node-silent',
      message: 'Still trying',
      since: '2026-03-01T12:00:05Z',
      facts: ['Guest 101 could be running on node2'],
      choices: { retry: 'r', skip: 's', abandon: 'a', 'target-dead': 'RISK: it may run twice' },
    } as const;
    const parked = ended({ status: 'running', story: story({ phase: 'needs-operator', outcome: null, endedAt: null, question }) });
    const cluster = {
      showMigration: () => Promise.resolve(parked),
      decideMigration: (_: unknown, ...said: unknown[]) => (decided.push(said), Promise.resolve()),
    };
    for (const confirm of [[], ['--confirm', 'node1']]) {
      const refused = await runFake(['migration', 'decide', '101-7', 'target-dead', ...confirm], { cluster });
      expect([refused.exitCode, refused.err]).toEqual([2, expect.stringMatching(/must be node2\. RISK: it may run twice[^]*add --confirm node2/)]);
    }
    expect((await runFake(['migration', 'decide', '101-7', 'retry', '--confirm', 'node2'], { cluster })).exitCode).toBe(2);
    expect(decided).toEqual([]);
    expect((await runFake(['migration', 'decide', '101-7', 'target-dead', '--confirm', 'node2'], { cluster })).exitCode).toBe(0);
    expect(decided).toEqual([['target-dead', expect.stringContaining('@')]]);
    const shown = await runFake(['migration', 'show', '101-7'], { cluster });
    expect(shown.out).toContain('Guest 101 could be running on node2');
    expect(shown.out).toContain('decide 101-7 target-dead RISK: it may run twice');
  });

  test('retries an ended migration with its target and settings, from wherever the guest is now', async () => {
    const inputs: MigrateGuestInput[] = [];
    const failed = ended({ story: story({ outcome: 'rolled-back' }), failure: failure('stream-failed') });
    const result = await runFake(['migration', 'retry', '101-7'], {
      cluster: {
        showMigration: () => Promise.resolve(failed),
        startMigration: (input) => (inputs.push(input), Promise.resolve(ended().ref)),
        watchMigration: () => viewsOf([ended()]),
      },
    });
    expect(result.exitCode).toBe(0);
    expect(inputs).toMatchObject([{ vmid: 101, target: 'node2', options: story().options }]);
    expect(inputs[0]).not.toHaveProperty('source');
  });

  test('does not retry a migration that moved the guest', async () => {
    const result = await runFake(['migration', 'retry', '101-7'], { cluster: { showMigration: () => Promise.resolve(ended()) } });
    expect(result.exitCode).toBe(3);
    expect(result.err).toContain('the guest has moved to node2');
  });
});

describe('kedge guest', () => {
  test('lists owners, and the other records only when asked', async () => {
    const cluster = { listNodes: () => Promise.resolve([nodeWith(node1, guest()), nodeWith(node2, guest({ record: 'released', qemu: 'gone' }))]) };
    const result = await runFake(['guest', 'list'], { cluster });
    expect(result.out).toBe(
      'VMID  NAME  NODE   KIND  STATE    WANTED   RECORD     MEMORY  CORES  MIGRATION\n 101  web   node1  qemu  running  running  owned(6)  512 MiB      1\n',
    );
    expect((await runFake(['guest', 'list', '--all'], { cluster })).out.split('\n')).toHaveLength(4);
    expect(JSON.parse((await runFake(['guest', 'list', '--json'], { cluster })).out)).toHaveLength(1);
  });

  test('keeps control characters of a name away from the terminal', async () => {
    const result = await runFake(['guest', 'list'], { cluster: { listNodes: () => Promise.resolve([nodeWith(node1, guest({ name: 'a\u001b[31mb' }))]) } });
    expect(result.out).toContain('a?[31mb');
  });

  test('creates a guest out of settings', async () => {
    const asked: unknown[] = [];
    const cluster = { manageGuest: (request: unknown) => (asked.push(request), Promise.resolve({ guest: guest(), config: null })) };
    await runFake(['guest', 'create', '101', '--node', 'node1', '--set', 'name=web', '--set', 'net0=virtio,bridge=vmbr0'], { cluster });
    expect(asked).toEqual([{ node: 'node1', command: { verb: 'create', vmid: 101, kind: 'qemu', config: 'name: web\nnet0: virtio,bridge=vmbr0\n' } }]);
    await runFake(['guest', 'create', '102', '--node', 'node1', '--kind', 'lxc', '--set', 'hostname=web'], { cluster });
    expect(asked.at(-1)).toEqual({ node: 'node1', command: { verb: 'create', vmid: 102, kind: 'lxc', config: 'hostname: web\n' } });
    expect((await runFake(['guest', 'create', '101', '--node', 'node1'], { cluster })).exitCode).toBe(2);
    expect((await runFake(['guest', 'create', '101', '--node', 'node1', '--set', 'name'], { cluster })).exitCode).toBe(2);
  });

  test('destroys only with --yes', async () => {
    const verbs: string[] = [];
    const cluster = { manageGuest: ({ command }: { command: { verb: string } }) => (verbs.push(command.verb), Promise.resolve({ guest: null, config: null })) };
    expect((await runFake(['guest', 'destroy', '101'], { cluster })).exitCode).toBe(2);
    expect((await runFake(['guest', 'destroy', '101', '--yes'], { cluster })).exitCode).toBe(0);
    expect(verbs).toEqual(['destroy']);
  });

  test('shows what the nodes last said when the owner is silent', async () => {
    const silent = new KedgeError('node-silent', 'Cannot reach node1');
    const result = await runFake(['guest', 'show', '101'], {
      cluster: { listNodes: () => Promise.resolve([nodeStatus()]), manageGuest: () => Promise.reject(silent) },
    });
    expect(result.exitCode).toBe(0);
    expect(result.out).toContain('No owner answers');
    const unknown = await runFake(['guest', 'show', '102'], { cluster: { listNodes: () => Promise.resolve([nodeStatus()]) } });
    expect(unknown.exitCode).toBe(3);
  });
});

describe('kedge node', () => {
  test('lists states', async () => {
    const silent = nodeStatus({ node: node2, cordoned: true, silentSince: '2026-03-01T11:59:30Z', inventory: null, inventoryAgeMs: null });
    const result = await runFake(['node', 'list'], { cluster: { listNodes: () => Promise.resolve([nodeStatus(), silent]) } });
    expect(result.out).toContain('node1  up ');
    expect(result.out).toContain('node2  silent for 40 s, cordoned');
  });

  test('shows one, and names the others when it is unknown', async () => {
    const cluster = { listNodes: () => Promise.resolve([nodeStatus()]) };
    expect((await runFake(['node', 'show', 'node1'], { cluster })).out).toContain('6.00 GiB free of 8.00 GiB');
    const unknown = await runFake(['node', 'show', 'node9'], { cluster });
    expect(unknown.exitCode).toBe(3);
    expect(unknown.err).toContain('the cluster has node1');
  });

  test('says what a node speaks, and what keeps it from telling all', async () => {
    const { inventory, ...status } = nodeStatus();
    const versions = { kedge: '0.2.0', protocol: 3, protocolOldest: 2, qemu: '7.2.22' };
    const told = {
      ...status,
      inventory: inventory === null ? null : { ...inventory, versions, storages: [], problems: ['Cannot read storage.cfg at line 2'] },
    };
    const { out } = await runFake(['node', 'show', 'node1'], { cluster: { listNodes: () => Promise.resolve([told]) } });
    expect(out).toContain('Kedge 0.2.0 (protocol 3, down to 2), QEMU 7.2.22');
    expect(out).toContain('problem   Cannot read storage.cfg at line 2');
  });

  test('cordons and uncordons', async () => {
    const asked: unknown[] = [];
    const cluster = { cordonNode: (...request: unknown[]) => (asked.push(request), Promise.resolve()) };
    await runFake(['node', 'cordon', 'node1'], { cluster });
    await runFake(['node', 'uncordon', 'node1'], { cluster });
    expect(asked).toEqual([
      ['node1', true],
      ['node1', false],
    ]);
  });
});
