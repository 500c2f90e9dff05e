import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { clusterYaml, nodeYaml, sshdConfig, storageConfig } from '../../lab/node-files.js';
import { clusterConfigSchema } from '../../src/schema/cluster-config.js';
import { nodeConfigSchema } from '../../src/schema/node-config.js';
import { parseStorageConfig } from '../../src/schema/storage-config.js';

const options = { nodes: 2, nodeMemoryBytes: 4 * 1024 ** 3, nodeCores: 1.5, nodeDiskBytes: 8 * 1024 ** 3, slow: {} };

describe('files of a node', () => {
  it('name the whole cluster in words that the product reads', () => {
    const config = clusterConfigSchema.parse(parse(clusterYaml(options)));
    expect(config.temporal.address).toBe('10.90.0.2:7233');
    expect(config.nodes).toEqual({
      node1: { address: '10.90.0.11', migrationAddress: '10.90.1.11' },
      node2: { address: '10.90.0.12', migrationAddress: '10.90.1.12' },
    });
  });

  it('lead clients on the host to the relay', () => {
    expect(clusterConfigSchema.parse(parse(clusterYaml(options, '127.0.0.1:4711'))).temporal.address).toBe('127.0.0.1:4711');
  });

  it('declare the size of the node and the boot id of the lab', () => {
    expect(nodeConfigSchema.parse(parse(nodeYaml('node1', options)))).toMatchObject({
      name: 'node1',
      bootIdFile: '/run/kedge/boot-id',
      memoryBytes: 4 * 1024 ** 3,
      cores: 2,
    });
  });

  it('offer a local and a shared storage', () => {
    expect(parseStorageConfig(storageConfig()).storages.map(({ id, path, shared }) => ({ id, path, shared }))).toEqual([
      { id: 'local', path: '/var/lib/kedge/images', shared: false },
      { id: 'shared', path: '/mnt/shared', shared: true },
    ]);
  });

  it('let sshd listen on control and migration network only, for forced commands only', () => {
    const lines = sshdConfig('node2').split('\n');
    expect(lines.filter((line) => line.startsWith('ListenAddress'))).toEqual(['ListenAddress 10.90.0.12', 'ListenAddress 10.90.1.12']);
    expect(lines).toContain('PermitRootLogin forced-commands-only');
  });
});
