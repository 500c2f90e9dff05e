/**
 * Does anything grow with the number of migrations? One number for each quantity: the slope of its measurements, by Theil and Sen (the
 * median of the slopes of all pairs), which a few outliers don't move, such as a heap that was just, or not yet, collected.
 */

/** How a quantity may behave. */
export interface Limit {
  /** What it may gain with each migration, in its unit. */
  readonly perMigration: number;
  /** What it may reach at all; absent: whatever the slope allows. */
  readonly most?: number;
  /** Settles only after many migrations: shorter runs show it and don't judge it. */
  readonly settles?: boolean;
}

/** The measurements of one quantity: one for each sample. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly limit: Limit;
  readonly values: readonly number[];
}

export interface Judged {
  readonly name: string;
  readonly unit: string;
  readonly first: number;
  readonly last: number;
  readonly perMigration: number;
  readonly limit: Limit;
  readonly verdict: 'steady' | 'grows' | 'not judged';
}

/** Caches fill and code is compiled in the first third of a run: it counts for nothing. */
const WARM_UP = 1 / 3;
/** Fewer migrations than this say nothing of what settles slowly. */
export const SETTLED_AFTER = 100;

/** `at`: after how many migrations each sample was taken. */
export function judge(series: Series, at: readonly number[]): Judged {
  const { name, unit, limit, values } = series;
  const total = at.at(-1) ?? 0;
  const points = at.map((migrations, index) => [migrations, values[index] ?? Number.NaN] as const).filter(([migrations]) => migrations >= total * WARM_UP);
  const perMigration = medianSlope(points);
  const grows = perMigration > limit.perMigration || Math.max(...values) > (limit.most ?? Infinity);
  const tooShort = points.length < 3 || (limit.settles === true && total < SETTLED_AFTER);
  return { name, unit, first: values[0] ?? 0, last: values.at(-1) ?? 0, perMigration, limit, verdict: tooShort ? 'not judged' : grows ? 'grows' : 'steady' };
}

function medianSlope(points: readonly (readonly [number, number])[]): number {
  const slopes = points.flatMap(([x1, y1], index) => points.slice(index + 1).flatMap(([x2, y2]) => (x2 === x1 ? [] : [(y2 - y1) / (x2 - x1)])));
  const sorted = slopes.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
