import { describe, expect, test } from 'vitest';
import { forecastMigration, type Forecast, type ForecastFacts } from '../../../src/domain/forecast.js';
import { DEFAULT_MIGRATION_OPTIONS, type MigrationOptions } from '../../../src/domain/migration.js';
import { disk, LIMITS, link } from '../../support/migration-facts.js';

const forecast = (changes: Partial<ForecastFacts> = {}, options: Partial<MigrationOptions> = {}, bandwidthLimit = 0): Forecast =>
  forecastMigration({
    limits: { ...LIMITS, bandwidthLimit },
    kind: 'live',
    memoryBytes: 2e9,
    touchedBytes: 1e9,
    volumes: [],
    link: link(),
    options: { ...DEFAULT_MIGRATION_OPTIONS, ...options },
    ...changes,
  });

describe('the forecast of a migration', () => {
  test('of a guest that runs on spans what its memory takes on the measured link', () => {
    const { bytes, durationMs, downtimeMs, bytesPerSecond } = forecast();
    expect(bytes).toEqual({ least: 5e8, most: 1.5e9 });
    expect(bytesPerSecond).toBe(1e9);
    expect(durationMs).toEqual({ least: 500 + 833, most: 10_000 + 25_000 });
    expect(downtimeMs).toEqual({ least: 25, most: 300 });
  });

  test('takes longer over a slower link and under a limit', () => {
    const slow = link({ bytesPerSecond: 12.5e6 });
    expect(forecast({ link: slow }).durationMs.least).toBe(500 + 40_000);
    expect(forecast({}, {}, 1e6)).toMatchObject({ bytesPerSecond: 1e6, durationMs: { least: 500 + 500_000 } });
    expect(forecast({ link: slow }, {}, 1e9).bytesPerSecond).toBe(12.5e6);
  });

  test('has no rate where none was measured and none is set', () => {
    expect(forecast({ link: null }).bytesPerSecond).toBeNull();
  });

  test('never counts more memory than the guest has', () => {
    expect(forecast({ touchedBytes: 9e9 }).bytes.most).toBe(3e9);
    expect(forecast({ touchedBytes: null }).bytes).toEqual({ least: 1e8, most: 3e9 });
  });

  test('has no upper bound when any pause is allowed', () => {
    expect(forecast({}, { onStall: 'force' })).toMatchObject({ durationMs: { most: null }, downtimeMs: { most: null } });
  });

  test('of a guest that is shut down takes off what is copied before', () => {
    const before = forecast({ kind: 'restart', volumes: [disk({ allocatedBytes: 3e9 })] });
    const after = forecast({ kind: 'restart', volumes: [disk({ allocatedBytes: 3e9 })] }, { presync: false });
    expect(before.bytes).toEqual({ least: 3e9, most: 4.5e9 });
    expect(after.bytes).toEqual({ least: 3e9, most: 3e9 });
    expect(before.downtimeMs?.least).toBe(200 + 2_000);
    expect(after.downtimeMs?.least).toBe(200 + 2_000 + 10_000);
  });

  test('of a guest that is off has no downtime', () => {
    expect(forecast({ kind: 'offline', volumes: [disk()] }).downtimeMs).toBeNull();
  });
});
