import { describe, expect, it } from 'vitest';
import { parseMigrationInfo } from '../../../../src/drivers/qemu/migration-info.js';

describe('parseMigrationInfo', () => {
  it('takes an empty answer for "no migration yet"', () => {
    expect(parseMigrationInfo({})).toMatchObject({ status: 'none', ram: null, socketAddress: [], errorDesc: null, downtimeMs: null });
  });

  it('reads the counters of a source', () => {
    const ram = {
      transferred: 5,
      remaining: 9_007_199_254_740_993n,
      total: 20,
      mbps: 1.5,
      'dirty-pages-rate': 7,
      'page-size': 4_096,
      'dirty-sync-count': 3,
      new: 1,
    };
    expect(parseMigrationInfo({ status: 'active', ram, 'expected-downtime': 300, downtime: 12, 'multifd-whatever': 1 })).toMatchObject({
      status: 'active',
      ram: { transferred: 5, remaining: 9_007_199_254_740_992, dirtyPagesRate: 7, pageSize: 4_096, dirtySyncCount: 3, multifdBytes: 0 },
      expectedDowntimeMs: 300,
      downtimeMs: 12,
    });
  });

  it('reads where a target listens, and why a source failed', () => {
    const socketAddress = [
      { type: 'inet', host: '::', port: '45829' },
      { type: 'unix', path: '/x' },
    ];
    expect(parseMigrationInfo({ 'socket-address': socketAddress }).socketAddress).toEqual([{ host: '::', port: 45_829 }]);
    expect(parseMigrationInfo({ status: 'failed', 'error-desc': 'no route' })).toMatchObject({ status: 'failed', errorDesc: 'no route' });
  });

  it('does not take the word of a newer QEMU for one that it knows', () => {
    expect(parseMigrationInfo({ status: 'teleporting' }).status).toBe('other');
  });

  it('refuses what is no answer of query-migrate', () => {
    expect(() => parseMigrationInfo({ status: 'active', ram: { transferred: 'much' } })).toThrow();
  });
});
