import { describe, expect, it } from 'vitest';
import { type BandwidthRequest, ramBandwidthLimit, resolveBandwidthLimit } from '../../../src/domain/bandwidth-limit.js';

const migration = (request: Omit<BandwidthRequest, 'operation'>): number => resolveBandwidthLimit({ operation: 'migration', ...request });
const mayNothing = { storage: false, datacenter: false };

describe('the bandwidth limit of a migration', () => {
  it.each<[string, Omit<BandwidthRequest, 'operation'>, number]>([
    ['is what was asked for', { override: 9_000, storages: [{ migration: 500 }], datacenter: { default: 100 } }, 9_000],
    ['is none when none was asked for', { override: 0, storages: [{ migration: 500 }] }, 0],
    ['is the lesser one of the two storages', { storages: [{ migration: 500 }, { default: 300 }], datacenter: { migration: 100 } }, 300],
    ['is the one storage limit there is, not that of the datacenter', { storages: [{ migration: 500 }, undefined], datacenter: { migration: 100 } }, 500],
    ['prefers the operation to the default', { storages: [{ migration: 500, default: 10 }] }, 500],
    ['does not care for other operations', { storages: [{ restore: 500 }], datacenter: { migration: 100, move: 5 } }, 100],
    ['is that of the datacenter when no storage has one', { storages: [undefined, {}], datacenter: { default: 100 } }, 100],
    ['is none when nobody sets one', { storages: [undefined] }, 0],
    ['takes 0 of a storage for none', { storages: [{ migration: 0 }, { migration: 100 }] }, 100],
    ['lets 0 of a storage free it from the datacenter', { storages: [{ migration: 0 }], datacenter: { default: 100 } }, 0],
    ['keeps a caller without rights below the storages', { override: 9_000, storages: [{ migration: 500 }], mayExceed: mayNothing }, 500],
    ['lets a caller without rights ask for less', { override: 50, storages: [{ migration: 500 }], mayExceed: mayNothing }, 50],
    ['gives no freedom to a caller without rights', { override: 0, storages: [], datacenter: { default: 100 }, mayExceed: mayNothing }, 100],
    ['takes the rights level by level', { override: 900, storages: [], datacenter: { default: 100 }, mayExceed: { storage: false, datacenter: true } }, 900],
  ])('%s', (_, request, limit) => {
    expect(migration(request)).toBe(limit);
  });
});

describe('the limit of the RAM stream', () => {
  it.each([
    [{ bwlimitKiB: 0, migrateSpeedMB: 0 }, 16_777_216],
    [{ bwlimitKiB: 5_000, migrateSpeedMB: 0 }, 5_000],
    [{ bwlimitKiB: 0, migrateSpeedMB: 10 }, 10_240],
    [{ bwlimitKiB: 5_000, migrateSpeedMB: 10 }, 5_000],
    [{ bwlimitKiB: 50_000, migrateSpeedMB: 10 }, 10_240],
  ])('with %o is %d KiB/s', (limits, expected) => {
    expect(ramBandwidthLimit(limits)).toBe(expected);
  });
});
