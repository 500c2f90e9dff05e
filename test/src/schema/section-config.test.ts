import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { canonicalStorageConfig, checkStorageConfig } from '../../../src/schema/check-storage-config.js';
import { printSectionConfig, readSectionConfig } from '../../../src/schema/section-config.js';
import { parseStorageConfig } from '../../../src/schema/storage-config.js';

const problemsOf = (source: string): readonly string[] =>
  checkStorageConfig(source).problems.map(({ severity, line, column, message }) => `${severity} ${String(line)}:${String(column)} ${message}`);

describe('a file of sections', () => {
  it.each([
    ['nfs: n1\n\texport /a\n\tpath /b\n', ['error 1:1 storage "n1" of type nfs needs server']],
    ['dir: d1\n\tpath /a\n   \n', ['warning 3:1 a line of blanks ends no section for PVE: make it empty']],
    ['dir: d1\n\tpath /a\n\tnew 1\n', ['warning 3:2 property "new" is unknown, it is kept as it is']],
    ['future: f1\n\tany\n', ['warning 1:1 storage type "future" is unknown, it is kept as it is']],
    ['rbd: r1\n\tkrbd true\n', ['error 2:7 krbd is "true", must be 0 or 1']],
    ['pbs: p1\n\tdatastore a\n\tserver b\n\tfingerprint 00\n', ['error 4:14 fingerprint is "00", must be a SHA-256 fingerprint']],
    ['dir: d1\n\tpath /a\n\tprune-backups keep-all=1,keep-x=2\n', ['error 3:27 prune-backups: there is no option "keep-x"']],
    ['dir: -x\n\tpath /a\n', ['error 1:6 storage is "-x", must be the name of a storage']],
  ])('%j has the problems %j', (source, problems) => {
    expect(problemsOf(source)).toEqual(problems);
  });

  const id = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}[a-z0-9]$/);
  const property = fc.tuple(fc.stringMatching(/^[a-z][a-z_-]{0,10}$/), fc.option(fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)));
  const section = fc.tuple(fc.constantFrom('dir', 'nfs', 'zfspool', 'plugin'), id, fc.uniqueArray(property, { selector: ([key]) => key }));
  const file = fc
    .tuple(fc.uniqueArray(section, { selector: ([, name]) => name }), fc.constantFrom('\t', '    '), fc.constantFrom('\n', '\r\n'))
    .map(([sections, indent, end]) =>
      sections
        .flatMap(([type, name, properties]) => [
          `${type}: ${name}`,
          ...properties.map(([key, value]) => `${indent}${key}${value === null ? '' : ` ${value}`}`),
          '# note',
          '',
        ])
        .join(end),
    );

  test.prop([file])('loses no section and no property', (source) => {
    const before = readSectionConfig(source);
    const after = readSectionConfig(printSectionConfig(before.sections));
    const said = ({ sections }: typeof before): unknown =>
      sections.map(({ type, id: name, properties }) => [type, name, properties.map(({ key, value }) => [key, value])]);
    expect(before.problems).toEqual([]);
    expect(said(after)).toEqual(said(before));
  });

  test.prop([file])('has one canonical form', (source) => {
    const canonical = (from: string): string => printSectionConfig(canonicalStorageConfig(readSectionConfig(from).sections));
    expect(canonical(canonical(source))).toBe(canonical(source));
  });

  test.prop([
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom('dir: a1', '\tpath /a', '', '  ', '#', '\tshared', 'x', '\t')).map((lines) => lines.join('\n')),
    ),
  ])('that is garbage is refused with a place or read, never anything else', (source) => {
    try {
      parseStorageConfig(source);
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-config', details: { line: expect.any(Number), column: expect.any(Number) } });
    }
  });
});
