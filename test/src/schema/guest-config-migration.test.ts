import { describe, expect, test } from 'vitest';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { readMigrationLimits } from '../../../src/schema/guest-config-migration.js';
import { unsupportedSettings } from '../../../src/schema/guest-config-unsupported.js';

const limitsOf = (text: string) => readMigrationLimits(parseGuestConfig(text));

describe('what a config says of its own migration', () => {
  test.each([
    ['name: a\n', { migrateSpeedMB: 0, maxDowntimeMs: null }],
    ['migrate_speed: 100\nmigrate_downtime: 0.5\n', { migrateSpeedMB: 100, maxDowntimeMs: 500 }],
    ['migrate_downtime: 2\n', { migrateSpeedMB: 0, maxDowntimeMs: 2_000 }],
    ['migrate_downtime: 0\n', { migrateSpeedMB: 0, maxDowntimeMs: 1 }],
    ['migrate_downtime: 99999\n', { migrateSpeedMB: 0, maxDowntimeMs: 2_000_000 }],
  ])('%j', (text, expected) => {
    expect(limitsOf(text)).toEqual(expected);
  });

  test.each([
    ['name: a\nmigrate_downtime: soon\n', 2],
    ['migrate_speed: -1\n', 1],
  ])('names the line of a value that is none: %j', (text, line) => {
    expect(() => limitsOf(text)).toThrow(expect.objectContaining({ code: 'bad-config', details: expect.objectContaining({ line }) }));
  });

  test('does not keep the guest from starting', () => {
    expect(unsupportedSettings(parseGuestConfig('migrate_speed: 100\nmigrate_downtime: 0.5\n'))).toEqual([]);
  });
});
