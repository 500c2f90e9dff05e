import { describe, expect, it } from 'vitest';
import { badLines, trackedFiles } from './tracked-files.js';

const KINDS = ['isolated', 'replay', 'integration', 'e2e'];

describe('tests', () => {
  it('are all in files that a project of vitest.config.ts picks up', () => {
    const declares = /^(describe|it|test)(\.each|\.for|\.prop)?\(/m;
    const stray = trackedFiles(/\.tsx?$/).filter(({ path, text }) => declares.test(text) && !/^test\/.*\.test\.ts$/.test(path));
    expect(stray.map(({ path }) => path)).toEqual([]);
  });

  it('have no other kind than unit, isolated, replay, integration and e2e', () => {
    const names = trackedFiles(/\.test\.ts$/).map(({ path }) => path);
    const kinds = names.map((path) => /\.([a-z0-9]+)\.test\.ts$/.exec(path)?.[1]).filter((kind) => kind !== undefined);
    expect(kinds.filter((kind) => !KINDS.includes(kind))).toEqual([]);
  });

  it('replace a module only where files are isolated', () => {
    const mocks = trackedFiles(/\.test\.ts$/).filter(({ text }) => text.includes('vi.' + 'mock('));
    expect(mocks.map(({ path }) => path).filter((path) => !path.endsWith('.isolated.test.ts'))).toEqual([]);
  });

  it('are never left out, nor run alone', () => {
    const marked = new RegExp(`\\b(describe|it|test)\\.(${['on' + 'ly', 'sk' + 'ip', 'to' + 'do', 'fai' + 'ls'].join('|')})\\b`);
    expect(badLines(trackedFiles(/\.test\.ts$/), (line) => marked.test(line))).toEqual([]);
  });
});
