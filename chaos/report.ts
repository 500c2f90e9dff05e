/** The table and the line of JSON at the end of a run. Pure. */
import { CRASH_POINTS } from '../src/domain/crash-points.js';
import { faultClass } from './plan/describe-round.js';
import { GUEST_KINDS } from './plan/round-plan.js';
import type { RoundResult } from './judge/round-result.js';

export interface RunSummary {
  readonly kills: number;
  readonly seed: number;
  readonly rounds: number;
  /** Rounds in which a guest ran twice, something was left behind, a guest was lost. */
  readonly doubleRunners: number;
  readonly leftovers: number;
  readonly lostGuests: number;
  readonly needsOperator: number;
  readonly recoveryMs: { readonly p50: number | null; readonly p99: number | null };
  /** Crash points that were passed while armed, of all that there are. */
  readonly points: { readonly hit: number; readonly of: number };
}

export function summarize(seed: number, results: readonly RoundResult[]): RunSummary {
  const count = (filter: (result: RoundResult) => boolean): number => results.filter(filter).length;
  const times = results.flatMap(({ struck, recoveryMs }) => (struck && recoveryMs !== null ? [recoveryMs] : []));
  return {
    kills: count(({ struck }) => struck),
    seed,
    rounds: results.length,
    doubleRunners: count(({ doubles }) => doubles.length > 0),
    leftovers: count(({ leftovers }) => leftovers.length > 0),
    lostGuests: count(({ lost }) => lost.length > 0),
    needsOperator: count(({ needsOperator }) => needsOperator),
    recoveryMs: { p50: percentile(times, 50), p99: percentile(times, 99) },
    points: { hit: new Set(results.flatMap(({ passed }) => passed ?? [])).size, of: CRASH_POINTS.length },
  };
}

/** The smallest value that so many percent are not above; null without values. */
export function percentile(values: readonly number[], percent: number): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
}

/** A row a class of faults, with what came of it. */
export function tableText(results: readonly RoundResult[]): string {
  const classes = [...new Set(results.map(({ plan }) => faultClass(plan.fault)))].sort();
  const head = ['fault', 'kills', ...GUEST_KINDS, 'twice', 'left', 'lost', 'operator', 'p50 ms', 'max ms'];
  const rows = [
    ...classes.map((name) =>
      rowOf(
        name,
        results.filter(({ plan }) => faultClass(plan.fault) === name),
      ),
    ),
    rowOf('all', results),
  ];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '))
    .join('\n');
}

function rowOf(name: string, results: readonly RoundResult[]): readonly string[] {
  const { kills, doubleRunners, leftovers, lostGuests, needsOperator, recoveryMs } = summarize(0, results);
  const times = results.flatMap(({ struck, recoveryMs: time }) => (struck && time !== null ? [time] : []));
  const kinds = GUEST_KINDS.map((kind) => results.filter(({ plan, struck }) => struck && plan.kind === kind).length);
  const slowest = times.length === 0 ? '–' : Math.max(...times);
  return [name, kills, ...kinds, doubleRunners, leftovers, lostGuests, needsOperator, recoveryMs.p50 ?? '–', slowest].map(String);
}

/** What a round came to, behind its description. */
export function resultText({ struck, outcome, recoveryMs, needsOperator, doubles, leftovers, lost }: RoundResult): string {
  const failures = [...doubles.map((what) => `RAN TWICE: ${what}`), ...lost.map((what) => `LOST: ${what}`), ...leftovers.map((what) => `LEFT: ${what}`)];
  const head = [
    outcome,
    ...(struck ? [] : ['not struck']),
    ...(needsOperator ? ['needs-operator'] : []),
    recoveryMs === null ? 'no recovery' : `recovered in ${recoveryMs} ms`,
  ];
  return [head.join(', '), ...failures.map((failure) => `    ${failure}`)].join('\n');
}
