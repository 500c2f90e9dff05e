import { describe, expect, test } from 'vitest';
import { migrationDefaults } from '../../../src/cli/migration-defaults.js';
import { clusterConfigSchema } from '../../../src/schema/cluster-config.js';
import { parseDatacenterConfig } from '../../../src/schema/datacenter-config.js';

const defaultsOf = (migration: object, datacenter: string) =>
  migrationDefaults(clusterConfigSchema.parse({ cluster: 'test', nodes: {}, migration }).migration, parseDatacenterConfig(datacenter));

describe('options that were not typed', () => {
  test.each<[string, object, string, object]>([
    ['are none when no file says anything', {}, '', {}],
    ['come from datacenter.cfg', {}, 'migration: type=insecure,network=10.1.0.0/16', { type: 'insecure', network: '10.1.0.0/16' }],
    ['come from kedge.yaml first', { type: 'secure' }, 'migration: type=insecure,network=10.1.0.0/16', { type: 'secure', network: '10.1.0.0/16' }],
    ['keep a limit of 0 as one that was set', { bandwidthLimit: 0, maxDowntimeMs: 50 }, '', { bandwidthLimit: 0, maxDowntimeMs: 50 }],
    ['leave bwlimit of datacenter.cfg to the nodes, who know the limits of the storages', {}, 'bwlimit: migration=5', {}],
  ])('%s', (_, migration, datacenter, expected) => {
    expect(defaultsOf(migration, datacenter)).toEqual(expected);
  });
});
