import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadClaims } from '../../../src/config/load-claims.js';
import { loadClusterConfig } from '../../../src/config/load-cluster-config.js';
import { loadNodeConfig } from '../../../src/config/load-node-config.js';
import { limitSettingsOf } from '../../../src/schema/admission-limits.js';
import { type KedgePaths, claimsFile, clusterConfigFile, nodeConfigFile } from '../../../src/config/paths.js';

/** Typed face of vitest's matcher, which is `any`. */
const containing = (text: string): unknown => expect.stringContaining(text);

let folder: string;
let paths: KedgePaths;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-config-'));
  paths = { etc: join(folder, 'etc'), state: join(folder, 'state'), run: join(folder, 'run') };
  await mkdir(paths.etc);
  await mkdir(paths.run);
});
afterEach(() => rm(folder, { recursive: true }));

const cluster = `cluster: lab
temporal: { address: "10.90.0.2:7233" }
nodes:
  node1: { address: 10.90.0.11, migrationAddress: 10.90.1.11 }
  node2: { address: 10.90.0.12 }
`;

const placement = (text: string): string => `${cluster}placement: { ${text} }\n`;
const limits = (text: string): string => `${cluster}limits: { ${text} }\n`;

describe('loadClusterConfig', () => {
  it('fills in the defaults', async () => {
    await writeFile(clusterConfigFile(paths), cluster);
    expect(await loadClusterConfig(paths)).toEqual({
      cluster: 'lab',
      temporal: { address: '10.90.0.2:7233', namespace: 'default' },
      hooks: {},
      nodes: { node1: { address: '10.90.0.11', migrationAddress: '10.90.1.11' }, node2: { address: '10.90.0.12', migrationAddress: '10.90.0.12' } },
      migration: { multifdChannels: 2, compression: 'zstd' },
      recovery: { enabled: false, suspectAfterSeconds: 60, fencesAtOnce: 1 },
      placement: { whenNotLive: 'skip', survivesOneNode: false, guests: {}, rules: [], nodes: {} },
      blackouts: [],
      limits: {},
      balance: {
        enabled: false,
        intervalMinutes: 5,
        historyMinutes: 30,
        beginAbovePercent: 20,
        stopBelowPercent: 10,
        cooldownMinutes: 120,
        maxMoves: 4,
        atOnce: 1,
        onlyIn: [],
      },
    });
  });

  it('reads the file that a client names', async () => {
    const file = join(folder, 'other.yaml');
    await writeFile(file, cluster);
    expect((await loadClusterConfig(file)).cluster).toBe('lab');
  });

  it.each([
    ['an unknown key', `${cluster}migration:\n  type: secure\n  bandwith: 5\n`, { line: 8, field: 'migration.bandwith', value: 5 }],
    ['an unknown key at the top', `${cluster}nods: {}\n`, { line: 6, field: 'nods' }],
    ['a wrong value', `${cluster}migration:\n  maxDowntimeMs: fast\n`, { line: 7, field: 'migration.maxDowntimeMs', value: 'fast' }],
    ['a choice that there is not', `${cluster}migration: { type: telepathy }\n`, { line: 6, field: 'migration.type' }],
    ['a missing key', 'cluster: lab\nnodes:\n  node1:\n    migrationAddress: 10.0.0.1\n', { line: 3, field: 'nodes.node1.address', value: null }],
    ['a bad node name', 'cluster: lab\nnodes:\n  node_1: { address: 10.0.0.1 }\n', { line: 3, field: 'nodes.node_1' }],
    ['a guest that is none', placement('guests: { 7: { pinned: true } }'), { line: 6, field: 'placement.guests.7', value: { pinned: true } }],
    ['a policy that there is not', placement('guests: { 101: { whenNotLive: kill } }'), { field: 'placement.guests.101.whenNotLive', value: 'kill' }],
    [
      'a rule of an unknown node',
      placement('rules: [{ kind: nodes, id: a, guests: [101], nodes: [node1, node9] }]'),
      { field: 'placement.rules.0.nodes.1', value: 'node9' },
    ],
    ['a reserve of an unknown node', placement('nodes: { node9: { reserveBytes: 1 } }'), { field: 'placement.nodes.node9' }],
    ['a rule of one guest', placement('rules: [{ kind: apart, id: a, guests: [101] }]'), { field: 'placement.rules.0.guests', value: [101] }],
    ['a guest twice in a rule', placement('rules: [{ kind: apart, id: a, guests: [101, 101] }]'), { field: 'placement.rules.0.guests' }],
    [
      'two rules of one id',
      placement('rules: [{ kind: apart, id: a, guests: [101, 102] }, { kind: apart, id: a, guests: [103, 104] }]'),
      { field: 'placement.rules.1.id', value: 'a' },
    ],
    [
      'rules that contradict',
      placement('rules: [{ kind: apart, id: a, guests: [101, 102] }, { kind: together, id: b, guests: [101, 102, 103] }]'),
      { field: 'placement.rules.0' },
    ],
    ['a limit that is no number', limits('perNode: many'), { field: 'limits.perNode', value: 'many' }],
    ['a limit without a value', limits('in: null'), { field: 'limits.in', value: null }],
    ['a negative limit', limits('cluster: -1'), { field: 'limits.cluster', value: -1 }],
    ['a cluster without a limit', limits('cluster: none'), { field: 'limits.cluster', value: 'none' }],
    ['a bandwidth that is meant in megabytes', limits('bandwidth: 100'), { field: 'limits.bandwidth', value: 100 }],
    ['a limit that there is not', limits('perRack: 1'), { field: 'limits.perRack', value: 1 }],
    ['a limit of a node that only networks have', limits('nodes: { node1: { bandwidth: 5000000 } }'), { field: 'limits.nodes.node1.bandwidth' }],
    ['a limit of an unknown node', limits('nodes: { node9: { in: 1 } }'), { field: 'limits.nodes.node9' }],
    ['a limit of a network with host bits', limits('networks: { 10.1.0.5/24: { perNetwork: 1 } }'), { field: 'limits.networks.10.1.0.5/24' }],
    ['broken YAML', 'cluster: lab\nnodes: [\n', { line: 3 }],
    ['a key that is there twice', 'cluster: lab\ncluster: b\nnodes: {}\n', { line: 2 }],
  ])('refuses %s, naming file and line', async (_what, text, details) => {
    const file = clusterConfigFile(paths);
    await writeFile(file, text);
    const failure = loadClusterConfig(paths);
    await expect(failure).rejects.toMatchObject({ code: 'bad-config', details: { file, ...details } });
    await expect(failure).rejects.toThrow(`${file}:${'line' in details ? details.line : 6}`);
  });

  it('reads limits of all kinds, and none where that is meant', async () => {
    await writeFile(
      clusterConfigFile(paths),
      limits(
        'perNode: 4, in: 2, bandwidth: 500000000, nodes: { node1: { in: none } }, networks: { 10.1.0.0/24: { perNetwork: 3 } }, storages: { nfs: { perStorage: 1 } }',
      ),
    );
    const { limits: read } = await loadClusterConfig(paths);
    expect(limitSettingsOf(read)).toEqual({
      perNode: 4,
      in: 2,
      bandwidth: 500_000_000,
      nodes: { node1: { in: null } },
      networks: { '10.1.0.0/24': { perNetwork: 3 } },
      storages: { nfs: { perStorage: 1 } },
    });
  });

  it('says what a limit must be', async () => {
    await writeFile(clusterConfigFile(paths), limits('in: 20000'));
    await expect(loadClusterConfig(paths)).rejects.toThrow('limits.in: current value is 20000, must be a whole number from 0 to 10000, or none');
  });

  it('tells all problems at once', async () => {
    await writeFile(clusterConfigFile(paths), 'cluster: lab\nnodes: {}\na: 1\nb: 2\n');
    await expect(loadClusterConfig(paths)).rejects.toMatchObject({
      message: containing('(and 1 more)'),
      details: {
        problems: [
          { field: 'a', line: 3 },
          { field: 'b', line: 4 },
        ],
      },
    });
  });

  it('names the file that is missing', async () => {
    await expect(loadClusterConfig(paths)).rejects.toMatchObject({ code: 'bad-config', details: { file: clusterConfigFile(paths) } });
  });
});

describe('loadNodeConfig', () => {
  it('needs only a name', async () => {
    await writeFile(nodeConfigFile(paths), 'name: node1\n');
    expect(await loadNodeConfig(paths)).toEqual({ name: 'node1', bootIdFile: '/proc/sys/kernel/random/boot_id', slots: { bulk: 2 } });
  });

  it('refuses an empty file by its missing name', async () => {
    await writeFile(nodeConfigFile(paths), '');
    await expect(loadNodeConfig(paths)).rejects.toMatchObject({ code: 'bad-config', details: { line: 1, field: 'name' } });
  });
});

describe('loadClaims', () => {
  it('finds nothing on a real node', async () => {
    expect(await loadClaims(paths)).toEqual({});
  });

  it('reads what a lab overrides and refuses what it does not know', async () => {
    await writeFile(claimsFile(paths), 'qemu: 6.2.0\nbridges: []\nmemoryAvailable: 1\n');
    expect(await loadClaims(paths)).toEqual({ qemu: '6.2.0', bridges: [], memoryAvailable: 1 });
    await writeFile(claimsFile(paths), 'qemo: 1\n');
    await expect(loadClaims(paths)).rejects.toMatchObject({ details: { field: 'qemo', line: 1 } });
  });
});
