import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { checkDatacenterConfig, printDatacenterConfig } from '../../../src/schema/check-datacenter-config.js';
import { parseDatacenterConfig } from '../../../src/schema/datacenter-config.js';

describe('datacenter.cfg', () => {
  it('tells how migrations travel and how fast they may', () => {
    const text =
      '# Vienna\n\nmigration: insecure,network=10.1.0.0/24\nbwlimit: migration=1000,default=2000\nmax_workers: 3\nmac_prefix: BC:24\nlanguage: xx_yy\n';
    expect(parseDatacenterConfig(text)).toEqual({
      migration: { type: 'insecure', network: '10.1.0.0/24' },
      bandwidthLimits: { migration: 1_000, default: 2_000 },
      maxWorkers: 3,
      macPrefix: 'BC:24',
    });
  });

  it('may be empty', () => {
    expect(parseDatacenterConfig('')).toEqual({ migration: { type: null, network: null }, bandwidthLimits: null, maxWorkers: null, macPrefix: 'BC:24:11' });
  });

  it.each([
    ['migration_unsecure: 1', 'insecure'],
    ['migration_unsecure: 0', 'secure'],
    ['migration: secure\nmigration_unsecure: 1', 'secure'],
    ['migration: type=insecure', 'insecure'],
  ])('with %j makes migrations %s', (text, type) => {
    expect(parseDatacenterConfig(text).migration.type).toBe(type);
  });

  it.each([
    ['migration: network=10.1.0.0/24', 1, 12],
    ['migration: secure,network=10.1.0.0', 1, 27],
    ['bwlimit: migration=fast', 1, 20],
    ['\n  max_workers: 0', 2, 16],
    ['max_workers: 1\nmax_workers: 2', 2, 1],
    ['just words', 1, 1],
  ])('is refused for %j at line %d, column %d', (text, line, column) => {
    expect(() => parseDatacenterConfig(text)).toThrow(expect.objectContaining({ code: 'bad-config', details: { line, column } }));
  });

  it('is checked in full, keys that nobody uses included', () => {
    const messages = checkDatacenterConfig('language: xx_yy\nnext-id: lower=2000,upper=1000\nnew: 1\ndescription: x').problems;
    expect(messages.map(({ severity, line, column }) => [severity, line, column])).toEqual([
      ['error', 1, 11],
      ['error', 2, 16],
      ['warning', 3, 1],
      ['warning', 4, 1],
    ]);
  });

  const key = fc.stringMatching(/^[a-z][a-z_-]{0,9}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  const entries = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name });
  test.prop([entries, fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\r\n]/.test(line)))])(
    'is printed the same after it was read again',
    (pairs, notes) => {
      const source = [...notes.map((line) => `#${line}`), ...pairs.map(([name, text]) => `${name}: ${text}`)].join('\n');
      const printed = printDatacenterConfig(checkDatacenterConfig(source));
      expect(printDatacenterConfig(checkDatacenterConfig(printed))).toBe(printed);
      const flag = (text: string): boolean => /^(?:on|off|yes|no|true|false)$/i.test(text);
      const found = checkDatacenterConfig(printed).entries.filter(({ value: text }) => !flag(text));
      expect(found.map((entry) => [entry.key, entry.value])).toEqual(pairs.filter(([, text]) => !flag(text)));
    },
  );

  test.prop([fc.string({ unit: 'binary' })])('that is garbage is refused with a place or read, never anything else', (source) => {
    try {
      parseDatacenterConfig(source);
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-config', details: { line: expect.any(Number), column: expect.any(Number) } });
    }
  });
});
