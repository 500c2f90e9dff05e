import { describe, expect, it } from 'vitest';
import { SABOTAGES } from '../../src/domain/sabotage.js';
import { ERROR_CODES } from '../../src/domain/error-codes.js';
import { badLines, trackedFiles } from './tracked-files.js';

const CODE = /\.(ts|mjs|cjs|js|sh|c|h|pml)$/;
const MAX_LINES = 300;

describe('sources', () => {
  it('have no file of more than 300 lines, unless it says why', () => {
    const excused = new RegExp(['eslint', 'disable max-lines -- \\S'].join('-'));
    const long = trackedFiles(/\.(ts|mjs|sh)$/).filter(({ text }) => text.split('\n').length - 1 > MAX_LINES && !excused.test(text));
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('leave nothing to do later', () => {
    const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
    expect(badLines(trackedFiles(CODE), (line) => marks.test(line))).toEqual([]);
  });

  it('hold no code that was commented out', () => {
    const code = /^\s*\/\/\s*((const|let|import|export|await|throw|return)\b.*;|(if|for|while) \(.*\) ?\{?|[\w.]+\(.*\);)$/;
    expect(badLines(trackedFiles(CODE), (line) => code.test(line))).toEqual([]);
  });

  it('give a reason wherever a lint rule or a type error is silenced', () => {
    const silenced = new RegExp(['eslint' + '-disable', '@ts' + '-expect-error', '@ts' + '-ignore', 'biome' + '-ignore'].join('|'));
    expect(badLines(trackedFiles(CODE), (line) => silenced.test(line) && !/(--|:) \S/.test(line))).toEqual([]);
  });

  it('break in every way that a sabotage names, once or more', () => {
    const code = trackedFiles(/^worker\/.*\.ts$/).map(({ text }) => text);
    expect(SABOTAGES.filter((sabotage) => !code.some((text) => text.includes(`isSabotaged('${sabotage}')`)))).toEqual([]);
  });

  it('are explained by docs/errors.md, one row for each error code', () => {
    const [page] = trackedFiles(/^docs\/errors\.md$/);
    if (page === undefined) return;
    const explained = [...page.text.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
    expect(explained.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it('tune the Temporal server alike in the lab, in tests and in measurements', () => {
    const settings = trackedFiles(/^(lab\/node-init\.sh|test\/support\/temporal-server\.ts|bench\/temporal-server\.ts)$/).map(({ text }) =>
      [...text.matchAll(/\b((?:history|matching|frontend|system)\.\w+=|journal_mode=|synchronous=)["'\\]*(\w+)/g)]
        .map((match) => `${match[1]}${match[2]}`)
        .sort(),
    );
    expect(settings).toHaveLength(3);
    for (const one of settings) expect(one).toEqual(settings[0]);
  });
});
