import { describe, expect, test } from 'vitest';
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
});
