import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Cluster } from '../../../src/cli/cluster.js';
import { parseGeneration } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { runFake } from './fake-cluster.js';
import { ended, guest, node1, node2, running, story } from './stories.js';

describe('kedge audit', () => {
  const nothing = { bootId: 'b', views: [], guests: [], processes: [], sockets: [], files: [], interfaces: [], nftTables: [], ports: [], journalOpen: [] };
  const incoming = guest({ record: 'incoming', qemu: 'gone', migrationId: story().id });

  test('exits with 0 when clean', async () => {
    const cluster = { nodes: [node1], listMigrations: () => Promise.resolve([]), auditNode: () => Promise.resolve({ ...nothing, node: node1 }) };
    expect(await runFake(['audit'], { cluster })).toMatchObject({ exitCode: 0, out: 'Clean: 1 node, nothing left behind\n' });
  });

  test('exits with 1 when anything is left or a node could not be looked at', async () => {
    const cluster = {
      nodes: [node1, node2],
      listMigrations: () => Promise.resolve([]),
      showMigration: () => Promise.resolve(ended()),
      auditNode: (node: string) =>
        node === 'node1' ? Promise.reject(new KedgeError('node-silent', 'No answer')) : Promise.resolve({ ...nothing, node: node2, guests: [incoming] }),
    };
    const result = await runFake(['audit', '--json'], { cluster });
    expect(result.exitCode).toBe(1);
    expect(JSON.parse(result.out)).toMatchObject({
      leftovers: [
        { node: 'node1', kind: 'node-not-audited', what: 'No answer' },
        { node: 'node2', kind: 'record-unsettled' },
      ],
    });
  });

  test('tells of disks that were kept by choice, and is clean with them', async () => {
    const volumes = [{ vmid: 101, volumeId: 'local:101/vm-101-disk-0.raw', identity: 'one', keptBy: '101-2' }];
    const cluster = {
      nodes: [node1],
      listMigrations: () => Promise.resolve([]),
      showMigration: () => Promise.resolve(ended()),
      auditNode: () => Promise.resolve({ ...nothing, node: node1, volumes, storageIdentities: ['one'] }),
    };
    expect(await runFake(['audit'], { cluster })).toMatchObject({
      exitCode: 0,
      out: ['Clean: 1 node, nothing left behind', 'Kept by choice on node1, guest 101: local:101/vm-101-disk-0.raw (migration 101-2, --keep-source)', ''].join(
        '\n',
      ),
    });
    expect(JSON.parse((await runFake(['audit', '--json'], { cluster })).out)).toEqual({
      leftovers: [],
      kept: [{ node: 'node1', vmid: 101, volumeId: 'local:101/vm-101-disk-0.raw', migrationId: '101-2' }],
    });
  });

  test('is not clean while nobody says which slots are held', async () => {
    const cluster = {
      nodes: [node1],
      listMigrations: () => Promise.resolve([]),
      auditNode: () => Promise.resolve({ ...nothing, node: node1 }),
      readSlots: () => Promise.reject(new KedgeError('server-unreachable', 'No control worker')),
    };
    expect(await runFake(['audit'], { cluster })).toMatchObject({ exitCode: 1, out: expect.stringContaining('slots-not-audited') });
  });

  test('knows a migration that started this moment although the index of running workflows lags', async () => {
    const cluster = {
      nodes: [node2],
      listMigrations: () => Promise.resolve([]),
      showMigration: (id: unknown) => (id === '101' ? Promise.resolve(running()) : Promise.reject(new KedgeError('not-found', 'x'))),
      auditNode: () => Promise.resolve({ ...nothing, node: node2, guests: [incoming] }),
    };
    expect((await runFake(['audit'], { cluster })).exitCode).toBe(0);
  });

  describe('looks twice at a note whose guest nobody has', () => {
    const note = {
      vmid: 101,
      storage: 'nfs',
      identity: 'one',
      newest: { owner: node1, generation: guest().generation ?? parseGeneration(1) },
      kind: 'qemu',
      hasDisks: true,
      unreadable: null,
    } as const;
    const looks = (second: object, changes: Partial<Cluster> = {}): Partial<Cluster> => {
      let asked = 0;
      return {
        nodes: [node1],
        listMigrations: () => Promise.resolve([]),
        showMigration: () => Promise.reject(new KedgeError('not-found', 'x')),
        auditNode: () => {
          asked += 1;
          return Promise.resolve({ ...nothing, node: node1, notes: [note], ...(asked === 1 ? {} : second) });
        },
        ...changes,
      };
    };
    const found = async (cluster: Partial<Cluster>): Promise<readonly string[]> => {
      const { leftovers } = z
        .object({ leftovers: z.array(z.object({ kind: z.string() })) })
        .parse(JSON.parse((await runFake(['audit', '--json'], { cluster })).out));
      return leftovers.map(({ kind }) => kind).filter((kind) => kind.startsWith('note'));
    };

    test('and tells of it when it is as it was', async () => {
      expect(await found(looks({}))).toEqual(['note-lost']);
    });

    test.each([
      ['it has changed', { notes: [{ ...note, kind: null }] }],
      ['it is gone', { notes: [] }],
      ['somebody has the guest by then', { guests: [guest({ wanted: 'stopped', qemu: 'gone' })], files: ['qemu-server/101.conf'] }],
    ])('and not when %s', async (_, second) => {
      expect(await found(looks(second))).toEqual([]);
    });

    test('and not while its migration runs, or a recovery may have it', async () => {
      expect(await found(looks({}, { showMigration: () => Promise.resolve(running()) }))).toEqual([]);
      expect(await found(looks({}, { readRecoveries: () => Promise.resolve([{ node: node1, owed: [] }]) }))).toEqual([]);
    });
  });

  test('changes nothing without --repair, and says what it would do', async () => {
    const cluster = {
      nodes: [node1],
      listMigrations: () => Promise.resolve([]),
      auditNode: () => Promise.resolve({ ...nothing, node: node1, nftTables: ['inet kedge-x'] }),
    };
    const { exitCode, out } = await runFake(['audit'], { cluster });
    expect(exitCode).toBe(1);
    expect(out).toContain('  repair: delete the nftables table inet kedge-x\n  id: nft-table/node1/inet kedge-x\n');
  });

  test('repairs one by one, looks again, and is clean when nothing is left', async () => {
    const tables = new Set(['inet kedge-a', 'inet kedge-b']);
    const asked: unknown[] = [];
    const cluster: Partial<Cluster> = {
      nodes: [node1],
      listMigrations: () => Promise.resolve([]),
      auditNode: () => Promise.resolve({ ...nothing, node: node1, nftTables: [...tables] }),
      repair: (request) => {
        asked.push(request);
        if (request.repair.do === 'remove-packet-rules') tables.delete(request.repair.table);
        return Promise.resolve({ outcome: 'done', because: 'done' });
      },
    };
    const result = await runFake(['audit', '--repair'], { cluster });
    expect(result).toMatchObject({ exitCode: 0, out: expect.stringContaining('Clean: 1 node') });
    expect(result.out).toContain('Repaired: nft-table/node1/inet kedge-a (delete the nftables table inet kedge-a)\n');
    expect(asked).toEqual(['inet kedge-a', 'inet kedge-b'].map((table) => ({ node: node1, vmid: null, repair: { do: 'remove-packet-rules', table } })));
    expect(await runFake(['audit', '--repair'], { cluster })).toMatchObject({ exitCode: 0, out: 'Clean: 1 node, nothing left behind\n' });
    expect(asked).toHaveLength(2);
  });

  test('tries a repair that is refused once, goes on with the rest, and exits with 1', async () => {
    const cluster: Partial<Cluster> = {
      nodes: [node1],
      listMigrations: () => Promise.resolve([]),
      auditNode: () => Promise.resolve({ ...nothing, node: node1, nftTables: ['inet kedge-a', 'inet kedge-b'] }),
      repair: ({ repair }) =>
        repair.do === 'remove-packet-rules' && repair.table === 'inet kedge-a'
          ? Promise.reject(new KedgeError('node-silent', 'No answer'))
          : Promise.resolve({ outcome: 'refused', because: 'somebody needs it' }),
    };
    const result = await runFake(['audit', '--repair', '--json'], { cluster });
    expect(result.exitCode).toBe(1);
    expect(JSON.parse(result.out)).toMatchObject({
      leftovers: [{ kind: 'nft-table' }, { kind: 'nft-table' }],
      repairs: [
        { id: 'nft-table/node1/inet kedge-a', outcome: 'refused', because: 'No answer' },
        { id: 'nft-table/node1/inet kedge-b', outcome: 'refused', because: 'somebody needs it' },
      ],
    });
  });
});

describe('kedge reconcile', () => {
  const nothing = { bootId: 'b', views: [], guests: [], processes: [], sockets: [], files: [], interfaces: [], nftTables: [], ports: [], journalOpen: [] };
  const asked = (audit: object): Partial<Cluster> => ({
    nodes: [node1],
    listMigrations: () => Promise.resolve([]),
    auditNode: () => Promise.resolve({ ...nothing, node: node1, ...audit }),
  });

  test('shows what each node says and the verdict, and exits with 0 when there is nothing to settle', async () => {
    const cluster = asked({ guests: [guest()], files: ['qemu-server/101.conf'] });
    const { exitCode, out } = await runFake(['reconcile', '101'], { cluster });
    expect(out).toMatch(/^NODE +RECORD .*\nnode1 +owned\(\d+\) [\s\S]*\n\nsettled: Guest 101 is owned by node1/);
    expect(exitCode).toBe(0);
  });

  test('exits with 1 for a guest that no node knows', async () => {
    const result = await runFake(['reconcile', '999', '--json'], { cluster: asked({}) });
    expect([result.exitCode, JSON.parse(result.out)]).toEqual([1, expect.objectContaining({ vmid: 999, verdict: 'unknown', findings: [] })]);
  });

  test('repairs only what is about the guest', async () => {
    const cluster = asked({ nftTables: ['inet kedge-a'], guests: [guest()], files: ['qemu-server/101.conf'] });
    expect((await runFake(['reconcile', '101', '--repair'], { cluster })).exitCode).toBe(0);
  });

  test('refuses what is no vmid by name', async () => {
    const result = await runFake(['reconcile', 'web']);
    expect(result).toMatchObject({ exitCode: 2, err: expect.stringContaining('"web"') });
  });
});
