import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { badLines, trackedFiles } from './tracked-files.js';

const scripts = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(readFileSync('package.json', 'utf8'))).scripts;

describe('texts', () => {
  it('name no path of the machine that they were written on, and no package registry', () => {
    // Put together here, so that this file doesn't name them either.
    const hosts = [
      ['registry', 'npmjs'],
      ['proxy', 'golang'],
      ['files', 'pythonhosted'],
      ['deb', 'debian'],
      ['pypi', 'org'],
    ].map((words) => words.join('\\.'));
    const folders = ['main', 'shared'].map((name) => `/work/${name}\\b`);
    const named = new RegExp([...hosts, ...folders].join('|'));
    expect(badLines(trackedFiles(/./), (line) => named.test(line))).toEqual([]);
  });

  it('link to files that exist', () => {
    const dead = trackedFiles(/\.md$/).flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => !existsSync(join(dirname(path), link)))
        .map((link) => `${path}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  it('tell the reader only such npm scripts as exist', () => {
    const told = trackedFiles(/\.(md|ts|sh|mjs)$/).flatMap(({ path, text }) =>
      [...text.matchAll(/npm run ([a-z][a-z:-]*)/g)].filter((match) => scripts[match[1] ?? ''] === undefined).map((match) => `${path}: ${match[0]}`),
    );
    expect(told).toEqual([]);
  });

  it('of scripts in bash refuse unset variables', () => {
    const careless = trackedFiles(/\.sh$|^\.ci\/run$/).filter(({ text }) => text.startsWith('#!') && !/^set -[a-z]*u/m.test(text));
    expect(careless.map(({ path }) => path)).toEqual([]);
  });
});
