import { readdirSync, readFileSync } from 'node:fs';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/schema/check-config.js';
import { CONFIG_KINDS, guessConfigKind, type ConfigKind } from '../../../src/schema/config-kind.js';
import { parseContainerConfig, printContainerConfig } from '../../../src/schema/container-config.js';
import { parseGuestConfig, printGuestConfig } from '../../../src/schema/guest-config.js';

const FOLDER = new URL('fixtures/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, FOLDER), 'utf8');
const written = CONFIG_KINDS.flatMap((kind) => readdirSync(new URL(`${kind}/`, FOLDER)).map((name) => ({ kind, name, source: read(`${kind}/${name}`) })));
const edited = readdirSync(new URL('edited/', FOLDER))
  .filter((name) => name.endsWith('.conf'))
  .map((name) => {
    const kind: ConfigKind | undefined = CONFIG_KINDS.find((one) => name.endsWith(`.${one}.conf`));
    return { kind, name, source: read(`edited/${name}`), expected: read(`edited/${name.replace(/conf$/, 'expected')}`) };
  });
const errorsOf = (kind: ConfigKind, source: string): readonly string[] =>
  checkConfig(kind, source)
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ line, column, message }) => `${String(line)}:${String(column)}: ${message}`);

describe('a file that PVE wrote', () => {
  it('is here in some variety', () => {
    expect(written.length).toBeGreaterThanOrEqual(25);
    expect(edited.length).toBeGreaterThanOrEqual(15);
  });

  it.each(written)('has no errors: $kind/$name', ({ kind, source }) => {
    expect(errorsOf(kind, source)).toEqual([]);
  });

  it.each(written)('is printed back unchanged: $kind/$name', ({ kind, source }) => {
    expect(checkConfig(kind, source).canonical()).toBe(source);
  });

  it.each(written.filter(({ kind }) => kind === 'vm'))('is printed back unchanged by a worker: $name', ({ source }) => {
    expect(printGuestConfig(parseGuestConfig(source))).toBe(source);
  });

  it.each(written.filter(({ kind }) => kind === 'ct'))('is printed back unchanged by a worker: ct/$name', ({ source }) => {
    expect(printContainerConfig(parseContainerConfig(source))).toBe(source);
  });

  it.each(written)('is known by what it says: $kind/$name', ({ kind, source }) => {
    // A keyboard alone may be that of a VM.
    expect(guessConfigKind('some.conf', source)).toBe(source.trim() === 'keyboard: de' ? undefined : kind);
  });

  it('has no unknown keys, but for those of the future', () => {
    const warnings = written.flatMap(({ kind, source }) => checkConfig(kind, source).problems.map(({ message }) => message));
    expect(warnings).toEqual(['key "some-future-key" is unknown, it is kept as it is', 'storage type "synology" is unknown, it is kept as it is']);
  });
});

describe('a file that was edited by hand', () => {
  it.each(edited)('is printed as PVE would write it: $name', ({ kind, source, expected }) => {
    if (kind === undefined) throw new Error('the name of the fixture tells no kind');
    expect(errorsOf(kind, source)).toEqual([]);
    expect(checkConfig(kind, source).canonical()).toBe(expected);
  });

  it.each(edited)('is printed the same a second time: $name', ({ kind, expected }) => {
    expect(checkConfig(kind ?? 'vm', expected).canonical()).toBe(expected);
  });

  it.each(edited.filter(({ name }) => !/^(?:renamed|empty|sections)-/.test(name)))('says the same as before: $name', ({ kind, source, expected }) => {
    const said = JSON.stringify(checkConfig(kind ?? 'vm', expected).json());
    expect(sortKeys(JSON.parse(JSON.stringify(checkConfig(kind ?? 'vm', source).json())))).toEqual(sortKeys(JSON.parse(said)));
  });
});

describe('any selection of lines that PVE wrote, in any order', () => {
  const linesOf = (kind: ConfigKind): readonly string[] => [
    ...new Set(written.filter((file) => file.kind === kind).flatMap(({ source }) => source.split('\n').filter((line) => /^[a-z_-]+\d*:/.test(line)))),
  ];
  const keyOf = (line: string): string => line.replace(/:.*/, '');
  /** Two keys for one device are no config. */
  const part = (kind: 'vm' | 'ct') =>
    fc.uniqueArray(fc.constantFrom(...linesOf(kind).filter((line) => !/^(?:delete|snapstate|unused\d+):/.test(line))), { selector: keyOf, maxLength: 60 });
  const config = fc.constantFrom('vm' as const, 'ct' as const).chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      main: part(kind),
      snapshots: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-oA-O][a-zA-Z0-9_-]{1,9}$/), part(kind)), { selector: ([name]) => name }),
    }),
  );

  test.prop([config])('is right, and printed in order with nothing lost or changed', ({ kind, main, snapshots }) => {
    const inOrder = (lines: readonly string[]): readonly string[] => lines.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
    const source = [...main, ...snapshots.flatMap(([name, lines]) => [`[${name}]`, ...lines])].join('\n');
    const expected = [
      ...inOrder(main),
      ...snapshots.toSorted(([left], [right]) => (left < right ? -1 : 1)).flatMap(([name, lines]) => ['', `[${name}]`, ...inOrder(lines)]),
    ];
    expect(errorsOf(kind, source)).toEqual([]);
    expect(checkConfig(kind, source).canonical()).toBe(expected.map((line) => `${line}\n`).join(''));
  });
});

/** A flag that is off may go. */
function sortKeys(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json).replace(/"disable":false,?/, ''));
}
