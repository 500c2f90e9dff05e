/** One measured quantity. Numbers are medians unless the name says otherwise; null where there is nothing to compare with. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number | null;
  readonly peer: number | null;
  readonly ratio: number | null;
  /** Number of measurements of ours. */
  readonly n: number;
  readonly min: number;
  readonly max: number;
}

export interface SuiteOptions {
  /** Measurements of each row; at least 10 for numbers that count. */
  readonly runs: number;
}

/** A row from the single measurements; `ratio` is ours / peer. */
export function rowOf(name: string, unit: string, samples: { readonly ours: readonly number[]; readonly peer?: readonly number[] }): Row {
  const ours = samples.ours.length === 0 ? null : median(samples.ours);
  const peer = samples.peer === undefined || samples.peer.length === 0 ? null : median(samples.peer);
  return {
    name,
    unit,
    ours,
    peer,
    ratio: ours === null || peer === null || peer === 0 ? null : ours / peer,
    n: samples.ours.length,
    min: Math.min(...samples.ours),
    max: Math.max(...samples.ours),
  };
}

/** One line of JSON for programs. */
export function printReport<Report extends { readonly suite: string; readonly rows: readonly Row[] }>(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** The table for people. */
export function printTable(rows: readonly Row[]): void {
  const head = ['row', 'unit', 'ours', 'peer', 'ratio', 'n', 'min', 'max'];
  const cells = rows.map(({ name, unit, ours, peer, ratio, n, min, max }) => [
    name,
    unit,
    ...[ours, peer, ratio].map(short),
    String(n),
    short(min),
    short(max),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const print = (row: readonly string[]): void => {
    process.stdout.write(`${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}\n`);
  };
  print(head);
  for (const row of cells) print(row);
}

/** The middle value, or the mean of the two middle ones. @throws RangeError without values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('Cannot take the median of nothing');
  return (upper + lower) / 2;
}

function short(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
