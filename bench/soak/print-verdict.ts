import type { Judged } from './judge.js';
import type { SoakResult } from './soak.js';

/** Prints the table for people and the line of JSON for programs; answers whether all is well. */
export function printVerdict(result: SoakResult): boolean {
  const { judged, failures, leftovers, witness, migrations } = result;
  const head = ['quantity', 'unit', 'first', 'last', 'per migration', 'allowed', 'verdict'];
  const cells = judged.map((one) => [one.name, one.unit, short(one.first), short(one.last), short(one.perMigration), allowed(one), one.verdict]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of [head, ...cells]) {
    const line = row.map((cell, column) => (column < 2 || column === 6 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)));
    process.stdout.write(`${line.join('  ').trimEnd()}\n`);
  }
  const grown = judged.filter(({ verdict }) => verdict === 'grows').map(({ name }) => name);
  const isWell = grown.length === 0 && failures.length === 0 && leftovers === 0 && witness.length === 0;
  const series = judged.map(({ name, unit, first, last, perMigration, verdict }) => ({ name, unit, first, last, perMigration, verdict }));
  process.stdout.write(`${JSON.stringify({ migrations, verdict: isWell ? 'steady' : 'bad', grown, failures, leftovers, witness, series })}\n`);
  return isWell;
}

/** A slope up to so much, a value up to so much, or both. */
function allowed({ limit }: Judged): string {
  const slope = Number.isFinite(limit.perMigration) ? [`+${short(limit.perMigration)} each`] : [];
  return [...slope, ...(limit.most === undefined ? [] : [`at most ${short(limit.most)}`])].join(', ');
}

function short(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 3);
}
