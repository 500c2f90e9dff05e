import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parsePropertyString, parsePveBoolean, parsePveSize, printPropertyString, PropertyStringError } from '../../../src/schema/property-string.js';

describe('property strings', () => {
  it('hold one bare value for the default key, and settings', () => {
    expect([...parsePropertyString('local:1/a.raw,size=4G,,x=a=b', { defaultKey: 'file' })]).toEqual([
      ['file', 'local:1/a.raw'],
      ['size', '4G'],
      ['x', 'a=b'],
    ]);
  });

  it('know other names of a key', () => {
    expect(parsePropertyString('volume=v', { defaultKey: 'file', aliases: { volume: 'file' } }).get('file')).toBe('v');
  });

  it.each([
    ['a,b', 2],
    ['a,x=1,x=2', 6],
    ['a,file=b', 2],
    ['=b', 0],
  ])('are refused when %j says something twice or nothing, at offset %d', (text, offset) => {
    expect(() => parsePropertyString(text, { defaultKey: 'file' })).toThrow(expect.objectContaining({ name: 'PropertyStringError', offset }));
  });

  it('without a default key take no bare value', () => {
    expect(() => parsePropertyString('bare')).toThrow(PropertyStringError);
  });

  it('print the default key bare and the rest by name', () => {
    const properties = new Map([
      ['z', '1'],
      ['file', 'v'],
      ['a', '2'],
    ]);
    expect(printPropertyString(properties, { defaultKey: 'file' })).toBe('v,a=2,z=1');
  });

  const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
  const value = fc.stringMatching(/^[A-Za-z0-9:/=+;._-]{1,12}$/);
  test.prop([fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name })])('are read again as they were printed', (pairs) => {
    const properties = new Map(pairs);
    expect(new Map(parsePropertyString(printPropertyString(properties)))).toEqual(properties);
  });

  it('have booleans in many spellings', () => {
    expect(['1', 'on', 'YES', 'True', '0', 'off', 'No', 'FALSE', '2', ''].map(parsePveBoolean)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      undefined,
      undefined,
    ]);
  });

  it('have sizes in binary multiples', () => {
    expect(['4G', '128K', '1.5M', '512MiB', '1000', '2T', 'G', '4X', '-1'].map(parsePveSize)).toEqual([
      4_294_967_296,
      131_072,
      1_572_864,
      536_870_912,
      1_000,
      2_199_023_255_552,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
