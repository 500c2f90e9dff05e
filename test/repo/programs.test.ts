import { describe, expect, it } from 'vitest';
import { badLines, trackedFiles } from './tracked-files.js';

/** What runs on an operator's machines. The lab does not: it builds namespaces, in scripts of its own. */
const PRODUCT = /^(src|worker|activities|workflows|bin|compat)\//;
const product = trackedFiles(PRODUCT);

/** The ways of Node.js to have a shell read a text, and the ways to start one by hand. */
const SHELL = [
  /(?:^|[{,])\s*shell\s*(?:[,}]|:\s*(?!false\b))/,
  /\b(?:childProcess|child_process|cp)\.exec(?:Sync)?\(/,
  /import\s*\{[^}]*\bexec(?:Sync)?\b[^}]*\}\s*from\s*'node:child_process'/,
  /\b(?:exec|execSync|promisify\(exec)\(['"`]/,
  /['"`](?:\/usr)?(?:\/bin\/)?(?:ba|da|z)?sh['"`]\s*,\s*\[/,
  /\bprocess\.binding\b|\bnew Function\(|\beval\(/,
];
const startsShell = (line: string): boolean => SHELL.some((way) => way.test(line));

describe('programs that the product starts', () => {
  it('never see a shell', () => {
    expect(product.length).toBeGreaterThan(300);
    expect(badLines(product, startsShell)).toEqual([]);
  });

  it.each([
    "import { exec } from 'node:child_process';",
    "import { spawn, execSync } from 'node:child_process';",
    "spawn('rsync', args, { shell: true })",
    'spawn(program, args, { shell })',
    "x('sh', ['-c', command])",
    "spawn('/bin/bash', ['-c', command])",
    'execSync(`kill ${pid}`)',
    'childProcess.exec(command)',
  ])('would be found: %s', (line) => {
    expect(startsShell(line)).toBe(true);
  });

  it('are started in files that a reader finds by one import', () => {
    // Anything else (a dynamic import, a require) would get past the list above and past the lint rule.
    const hidden = product.filter(({ text }) => /child_process/.test(text) && !/from 'node:child_process';/.test(text));
    expect(hidden.map(({ path }) => path)).toEqual([]);
  });

  it('get a list of arguments, never one text', () => {
    // `spawn(program, args…)`: the second argument is a list or the name of one.
    const starts = product.flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:spawn|execFile|execFileSync|spawnSync|promisify\(execFile\))\(\s*([^,()]+)(?:,\s*(\S))?/g)]
        .filter(([, , second]) => second === undefined || !/[[a-z]/.test(second))
        .map(([call]) => `${path}: ${call}`),
    );
    expect(starts).toEqual([]);
  });
});
