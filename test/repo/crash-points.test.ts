import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCrashPointCalls, workerSources, type PointUse } from './crash-point-calls.js';
import { HARMLESS, NAMED_BY_CALLERS, PRIMITIVES } from './crash-primitives.js';
import { driverEffects } from './driver-effects.js';
import { trackedFiles } from './tracked-files.js';

const LIST = 'src/domain/crash-points.ts';
const COMPONENTS: Readonly<Record<string, string>> = {
  source: 'node worker of the source',
  target: 'node worker of the target',
  node: 'node worker',
  control: 'control worker',
};

const HEAD = `# Crash points

Where a test run may kill a worker (\`before\` the effect, \`after\` it, or after it with its answer lost: \`lost-reply\`), or have it do the effect twice (\`repeat\`): every durable write, every effect outside of the
process, and every message. How they are armed and what is tested: [testing.md](testing.md#crash-points).

This page and the list in [src/domain/crash-points.ts](../src/domain/crash-points.ts) are made from the calls of \`crashPoint()\`;
\`npx vitest run --project unit test/repo/crash-points.test.ts -u\` writes both anew.

`;

const { uses, unguarded, exempted } = readCrashPointCalls();
const points = [...new Set(uses.map(({ point }) => point))].sort(byComponent);

describe('crash points', () => {
  it('are listed as the code has them', async () => {
    const list = points.map((point) => `  '${point}',\n`).join('');
    const text = readFileSync(LIST, 'utf8').replace(/(CRASH_POINTS = \[\n)[^\]]*/, (_, head: string) => `${head}${list}`);
    await expect(text).toMatchFileSnapshot(`../../${LIST}`);
  });

  it('are explained by docs/crash-points.md, each with its places', async () => {
    await expect(`${HEAD}${Object.keys(COMPONENTS).map(table).join('\n')}`).toMatchFileSnapshot('../../docs/crash-points.md');
  });

  it('guard every durable write, effect and message of the workers', () => {
    expect(unguarded).toEqual([]);
  });

  it('know every function of the drivers that changes something and that workers call', () => {
    const known = new Set([...Object.values(PRIMITIVES).flat(), ...Object.keys(HARMLESS)]);
    const called = new Set(workerSources().flatMap(({ text }) => [...text.matchAll(/\b([a-zA-Z]+)\(/g)].map(([, name]) => name ?? '')));
    const effects = driverEffects(trackedFiles(/^src\/drivers\/.*\.ts$/)).filter((name) => called.has(name));
    expect(effects.filter((name) => !known.has(name))).toEqual([]);
  });

  it('have no exemption that nothing needs', () => {
    const effects = driverEffects(trackedFiles(/^src\/drivers\/.*\.ts$/));
    expect(Object.keys(HARMLESS).filter((name) => !effects.includes(name))).toEqual([]);
    expect(Object.keys(NAMED_BY_CALLERS).filter((place) => !exempted.has(place))).toEqual([]);
  });
});

function table(component: string): string {
  const rows = points
    .filter((point) => point.startsWith(`${component}.`))
    .map((point) =>
      row(
        point,
        uses.filter((use) => use.point === point),
      ),
    );
  return `## ${COMPONENTS[component] ?? component}\n\n| point | what | where |\n|---|---|---|\n${rows.join('')}`;
}

function row(point: string, places: readonly PointUse[]): string {
  const calls = [...new Set(places.flatMap((place) => place.calls))].map((call) => `\`${call}\``).join(', ');
  const where = [...new Set(places.map(({ file, name }) => `\`${name}\` in ${file}`))].join('; ');
  return `| \`${point}\` | ${calls === '' ? '–' : calls} | ${where} |\n`;
}

function byComponent(one: string, other: string): number {
  const order = Object.keys(COMPONENTS);
  return order.indexOf(one.split('.')[0] ?? '') - order.indexOf(other.split('.')[0] ?? '') || one.localeCompare(other);
}
