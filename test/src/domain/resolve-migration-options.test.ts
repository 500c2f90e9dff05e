import { describe, expect, test } from 'vitest';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../src/domain/migration.js';
import { resolveMigrationOptions } from '../../../src/domain/resolve-migration-options.js';

function refusalOf(input: unknown): unknown {
  try {
    return resolveMigrationOptions(input);
  } catch (error) {
    return error;
  }
}

describe('resolveMigrationOptions', () => {
  test('fills in every default', () => {
    expect(resolveMigrationOptions({ vmid: 101, target: 'node2' })).toMatchObject({
      vmid: 101,
      source: null,
      target: 'node2',
      options: DEFAULT_MIGRATION_OPTIONS,
      requestedBy: 'unknown',
      priority: 'user',
    });
  });

  test('keeps what is named', () => {
    const options = {
      online: true,
      type: 'insecure',
      bandwidthLimit: 5,
      maxDowntimeMs: 50,
      timeoutMs: 9,
      onStall: 'force',
      hold: true,
      holdUntil: '2030-01-01T00:00:00Z',
    };
    expect(resolveMigrationOptions({ vmid: 101, target: 'node2', source: 'node1', requestedBy: 'me', priority: 'maintenance', options })).toMatchObject({
      source: 'node1',
      requestedBy: 'me',
      priority: 'maintenance',
      options,
    });
  });

  test.each([
    [{}, { bandwidthLimit: null, maxDowntimeMs: null, network: null }],
    [{ bandwidthLimit: 0 }, { bandwidthLimit: 0 }],
    [
      { bandwidthLimit: null, maxDowntimeMs: null, network: null },
      { bandwidthLimit: null, maxDowntimeMs: null, network: null },
    ],
    [{ network: 'fd00:1::/64' }, { network: 'fd00:1::/64' }],
  ])('tells in %j what was given from what was not', (options, expected) => {
    expect(resolveMigrationOptions({ vmid: 101, target: 'node2', options }).options).toMatchObject(expected);
  });

  test.for<[unknown, string]>([
    [null, 'input'],
    [{ target: 'node2' }, 'vmid'],
    [{ vmid: 101, target: 1 }, 'target'],
    [{ vmid: 101, target: 'node2', source: 1 }, 'source'],
    [{ vmid: 101, target: 'node2', priority: 'urgent' }, 'priority'],
    [{ vmid: 101, target: 'node2', options: [] }, 'options'],
    [{ vmid: 101, target: 'node2', options: { online: 'yes' } }, 'options.online'],
    [{ vmid: 101, target: 'node2', options: { bandwidthLimit: 1.5 } }, 'options.bandwidthLimit'],
    [{ vmid: 101, target: 'node2', options: { maxDowntimeMs: 0 } }, 'options.maxDowntimeMs'],
    [{ vmid: 101, target: 'node2', options: { network: '10.1.0.0' } }, 'options.network'],
    [{ vmid: 101, target: 'node2', options: { holdUntil: '2030-01-01T00:00:00Z' } }, 'options.holdUntil'],
    [{ vmid: 101, target: 'node2', options: { hold: true, holdUntil: '02:30' } }, 'options.holdUntil'],
    [{ vmid: 101, target: 'node2', requestedBy: 1 }, 'requestedBy'],
    [{ vmid: 101, target: 'node2', timings: { silentAfterMs: 0 } }, 'timings.silentAfterMs'],
  ])('refuses %j and names the field, its value and the remedy', ([input, field]) => {
    expect(refusalOf(input)).toMatchObject({ code: 'bad-input', details: { field } });
    expect(refusalOf(input)).toHaveProperty('message', expect.stringContaining(`Cannot read ${field}: current value is`));
  });
});
