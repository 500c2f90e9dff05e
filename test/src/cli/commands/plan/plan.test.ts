import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { clusterSnapshotSchema } from '../../../../../src/schema/cluster-snapshot.js';
import { runFake, type FakeCli } from '../../fake-cluster.js';

const GIB = 2 ** 30;
const shared = { storages: [{ id: 'shared', identity: 'one' }], bridges: ['vmbr0'] };
const SNAPSHOT = {
  v: 1,
  nodes: [
    { name: 'node1', cores: 4, memoryBytes: 8 * GIB, ...shared },
    { name: 'node2', cores: 4, memoryBytes: 8 * GIB, ...shared },
    { name: 'node3', cores: 4, memoryBytes: 2 * GIB, ...shared },
  ],
  guests: [
    { vmid: 101, node: 'node1', memoryBytes: 4 * GIB, disks: [{ storage: 'shared', bytes: GIB }], bridges: ['vmbr0'], home: 'node2' },
    { vmid: 102, node: 'node1', kind: 'lxc', memoryBytes: GIB },
  ],
};

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'kedge-plan-')), 'cluster.json');
  await writeFile(file, JSON.stringify(SNAPSHOT));
});
afterEach(() => rm(join(file, '..'), { recursive: true }));

const plan = (...words: readonly string[]): Promise<FakeCli> => runFake(['plan', ...words, '--snapshot', file]);

const SIZE = '"cores": 1, "memoryBytes": 1';
const snapshotWith = (more: string): string => `{"v": 1, "nodes": [{"name": "node1", ${SIZE}}], ${more}}`;

describe('kedge plan', () => {
  test('evacuate shows moves, who stays, and how full the nodes get', async () => {
    const { out, exitCode } = await plan('evacuate', 'node1');
    expect(out).toBe(
      [
        'MOVE  GUEST  FROM   TO     WAY       SIZE  AFTER  REASON',
        '   1  101    node1  node2  live  4.00 GiB  -      its node is to be empty: 50 % full with it',
        '',
        'GUEST  NODE   STAYS  REASON',
        '102    node1  stuck  a container can not move live; its policy is to leave it',
        '',
        'NODE   FULL NOW  THEN',
        'node1      63 %  13 %',
        'node2       0 %  50 %',
        'node3       0 %   0 %',
        '',
      ].join('\n'),
    );
    expect(exitCode).toBe(3);
  });

  test('evacuate gives every reason as JSON, also why other nodes were no choice', async () => {
    const { out } = await plan('evacuate', 'node1', '--json');
    expect(JSON.parse(out)).toMatchObject({
      moves: [{ vmid: 101, to: 'node2', rejected: [{ node: 'node3', reason: "4.00 GiB of memory don't fit, 2.00 GiB are free" }] }],
    });
  });

  test('restore brings guests home', async () => {
    expect(await plan('restore', 'node2')).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('101    node1  node2  live  4.00 GiB  -      it belongs there'),
    });
  });

  test('balance takes its limits, and says when nothing is to be moved', async () => {
    expect((await plan('balance')).out).toContain('101    node1  node2  live');
    expect((await plan('balance', '--tolerance', '50')).out).toMatch(/^Nothing is to be moved\./);
    expect((await plan('balance', '--max-moves', '0')).exitCode).toBe(2);
  });

  test('place ranks the nodes for a guest', async () => {
    const { out, exitCode } = await plan('place', '101');
    expect(out).toBe(
      [
        'NODE   POINTS  REASON',
        'node1    0.63  it is there: 63 % full with it',
        'node2    0.50  50 % full with it',
        '',
        'NOT    REASON',
        "node3  4.00 GiB of memory don't fit, 2.00 GiB are free",
        '',
      ].join('\n'),
    );
    expect(exitCode).toBe(0);
    expect(await plan('place', '102')).toMatchObject({ exitCode: 3, out: expect.stringMatching(/^It stays where it is: a container can not move live/) });
  });

  test.each([
    ['{', /it is no JSON/],
    ['{"v": 2}', /Cannot read the snapshot: v: current value is 2, must be 1/],
    [`{"v": 1, "nodes": [{"name": "no_de", ${SIZE}}]}`, /nodes\.0\.name: current value is "no_de", must .*letters, digits and inner hyphens/],
    ['{"v": 1, "nodes": [{"name": "node1", "cores": 1, "memoryBytes": -1}]}', /nodes\.0\.memoryBytes: current value is -1, must be at least 0/],
    ['{"v": 1, "nodes": [{"name": "node1", "cores": 1, "memoryBytes": "16G"}]}', /nodes\.0\.memoryBytes: current value is "16G", must be of type number/],
    ['{"v": 1, "nodes": [{"name": "node1", "cores": 1.5, "memoryBytes": 1}]}', /nodes\.0\.cores: current value is 1\.5, must be a whole number/],
    ['{"v": 1, "nodes": [{"name": "node1", "memoryBytes": 1}]}', /nodes\.0\.cores: current value is absent, must be of type number/],
    ['{"v": 1, "nodes": []}', /nodes: current value is \[\], must have at least 1/],
    [`{"v": 1, "nodes": [{"name": "node1", "memory": 7, ${SIZE}}]}`, /nodes\.0\.memory: current value is 7, must be absent/],
    [
      snapshotWith('"guests": [{"vmid": 101, "node": "node9", "memoryBytes": 1}]'),
      /guests\.0\.node: current value is "node9", must be one of its nodes: .* it has node1/,
    ],
    [snapshotWith('"rules": [{"kind": "nodes", "id": "a", "guests": [101], "nodes": ["node1", "node9"]}]'), /rules\.0\.nodes\.1: current value is "node9"/],
    [
      snapshotWith('"rules": [{"kind": "near", "id": "a", "guests": [101]}]'),
      /rules\.0\.kind: current value is "near", must be "together", "apart" or "nodes"/,
    ],
    [`{"v": 1, "nodes": [{"name": "node1", ${SIZE}}, {"name": "node1", ${SIZE}}]}`, /nodes\.1\.name: current value is "node1", must .* twice/],
  ])('refuses %s by the name of what is wrong', async (text, reason) => {
    await writeFile(file, text);
    const { err, exitCode, out } = await plan('evacuate', 'node1');
    expect(err).toMatch(reason);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    if (text !== '{') expect(err).toContain('→ Correct ');
  });

  test('refuses a file that is not there, and a node that the snapshot does not have', async () => {
    expect((await plan('evacuate', 'node9')).err).toContain('no node "node9", it has node1, node2, node3');
    await rm(file);
    expect((await plan('evacuate', 'node1')).err).toMatch(/Cannot read --snapshot: current value is ".*", must be a file.*\n {2}because: ENOENT/);
  });
});

test('what "kedge node list --snapshot" prints is what a plan reads; without a file the plan takes it from the cluster', async () => {
  const cluster = { takeSnapshot: () => Promise.resolve(clusterSnapshotSchema.parse(SNAPSHOT)) };
  const listed = await runFake(['node', 'list', '--snapshot'], { cluster });
  await writeFile(file, listed.out);
  const [fromFile, live] = [await plan('evacuate', 'node1', '--json'), await runFake(['plan', 'evacuate', 'node1', '--json'], { cluster })];
  expect(live).toEqual({ ...fromFile, closed: true });
  expect(JSON.parse(live.out)).toMatchObject({ moves: [{ vmid: 101, to: 'node2' }] });
});

test('docs/snapshot.schema.json is made from the schema: -u writes it anew', async () => {
  const schema = z.toJSONSchema(clusterSnapshotSchema, { io: 'input' });
  await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot('../../../../../docs/snapshot.schema.json');
});
