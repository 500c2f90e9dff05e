import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openSealed, sealJson } from '../../../../src/drivers/host/sealed-json.js';
import { flipsOf, prefixesOf } from '../../../support/damage.js';

const VALUE = { vmid: 101, generation: 8, state: 'owned', list: [{ name: 'vm-101-disk-0.raw' }], text: 'a "check" of ü\n' };
const SEALED = sealJson(VALUE);

/** Either the value is as it was written, but for the checksum, or it is refused. */
function read(text: string): unknown {
  try {
    const { vmid, generation, state, list, text: written } = openSealed(text);
    return { vmid, generation, state, list, text: written };
  } catch {
    return 'refused';
  }
}

describe('sealed JSON', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        fc.pre(Object.keys(value).length > 0 && value['check'] === undefined && !('__proto__' in value));
        const written: unknown = JSON.parse(JSON.stringify(value));
        const { check, ...read } = openSealed(sealJson(value));
        expect(check).toMatch(/^[0-9a-f]{16}$/);
        expect(read).toEqual(written);
      }),
    );
  });

  test('is refused when it was cut off anywhere', () => {
    expect(new Set(prefixesOf(SEALED).map(read))).toEqual(new Set(['refused']));
  });

  test('with one bit changed is refused, or says what it said before', () => {
    const seen = flipsOf(SEALED).map(read);
    expect(seen.filter((value) => value !== 'refused')).toEqual(seen.filter((value) => value !== 'refused').map(() => VALUE));
    expect(seen.filter((value) => value === 'refused').length).toBeGreaterThan(seen.length * 0.8);
  });

  test('that says another thing in good JSON is refused with the reason', () => {
    expect(() => openSealed(SEALED.replace('"generation":8', '"generation":9'))).toThrow('its checksum does not fit, the file was damaged, or altered by hand');
  });

  test('of a Kedge that wrote no checksum is read', () => {
    expect(openSealed('{"vmid":101}\n')).toEqual({ vmid: 101 });
    for (const text of ['[]\n', 'null\n', '7\n']) expect(() => openSealed(text)).toThrow('not a JSON object');
  });
});
