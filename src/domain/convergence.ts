/**
 * When may a RAM copy stop iterating? Pure decisions at pass boundaries.
 *
 * QEMU starts the switchover by itself when the rest fits `downtime-limit` at the measured rate. Kedge starts each stream with
 * the smallest limit, so that QEMU iterates while another pass still makes the blackout shorter, and raises the limit to the
 * user's budget once passes stop shrinking. QEMU 7.2 facts: shared reference "Convergence"; the stall rule follows KubeVirt's
 * stall detector (margin 4 %, window 40 s).
 */
import type { StallPolicy } from './migration.js';

/** What is known at the boundary of a RAM pass. */
export interface PassReading {
  /** Number of the pass that begins, from 1. */
  readonly pass: number;
  readonly remainingBytes: number;
  /** Bytes per second. */
  readonly bandwidth: number;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export interface ConvergenceSettings {
  readonly maxDowntimeMs: number;
  readonly onStall: StallPolicy;
  /** How long the rest may stay above its minimum before the copy counts as stalled. */
  readonly stallWindowMs: number;
}

export type ConvergenceDecision =
  | { readonly do: 'iterate' }
  | { readonly do: 'raise-limit'; readonly limitMs: number }
  | { readonly do: 'give-up'; readonly reason: string };

/** Smallest limit that QEMU 7.2 handles: with 0 it never looks at the dirty bitmap before the last pass. */
export const ITERATING_LIMIT_MS = 1;
/** QEMU's own maximum: accept any pause. */
export const ANY_PAUSE_LIMIT_MS = 2_000_000;
export const STALL_WINDOW_MS = 40_000;

/** Device state, hand-over and resume on top of the last RAM pass; milliseconds, measured (docs/performance.md). */
const FIXED_COST_MS = 25;
/**
 * No hand-over is shorter than its fixed cost. A budget near or below it still means "as short as possible", so this share of it is
 * always left for RAM: such a budget can be met by a quiet guest, and is exceeded by at most the fixed cost.
 */
const LEAST_RAM_SHARE = 0.2;
/** A pass that leaves less than this share of the best one before it is worth another pass. */
const WORTH_ANOTHER_PASS = 0.8;
/**
 * A rest that takes no longer than this on the wire is short enough once two passes are done: each pass costs a walk over the dirty bitmap
 * with QEMU's big lock held (under TCG 0.1 s and more), and wins less than this.
 */
const SHORT_ENOUGH_MS = 30;
const STALL_MARGIN = 0.96;
/** Readings of this many seconds are remembered; must cover the stall window. */
const KEPT_READINGS = 500;

/** Blackout to expect if the switchover began now; milliseconds, Infinity while no rate is known. */
export function expectedBlackoutMs(reading: Pick<PassReading, 'remainingBytes' | 'bandwidth'>): number {
  return ramMs(reading) + FIXED_COST_MS;
}

/** Time that the rest takes on the wire; milliseconds, Infinity while no rate is known. */
function ramMs({ remainingBytes, bandwidth }: Pick<PassReading, 'remainingBytes' | 'bandwidth'>): number {
  return bandwidth <= 0 ? Number.POSITIVE_INFINITY : (remainingBytes / bandwidth) * 1_000;
}

function fits(reading: PassReading, maxDowntimeMs: number): boolean {
  return ramMs(reading) <= Math.max(maxDowntimeMs - FIXED_COST_MS, maxDowntimeMs * LEAST_RAM_SHARE);
}

/**
 * Adds a reading to those before it. Of the readings of one second, before the newest, only the one with the least left is kept: a
 * stall shows over tens of seconds, while passes may be shorter than 10 ms.
 */
export function addReading(readings: readonly PassReading[], newest: PassReading): readonly PassReading[] {
  const [before, last] = readings.slice(-2);
  if (before === undefined || last === undefined || before.pass < 2 || secondOf(before) !== secondOf(last)) return [...readings, newest].slice(-KEPT_READINGS);
  const better = last.remainingBytes < before.remainingBytes ? last : before;
  return [...readings.slice(0, -2), better, newest].slice(-KEPT_READINGS);
}

function secondOf(reading: PassReading): number {
  return Math.floor(reading.atMs / 1_000);
}

/** Judges the newest reading against those before it (oldest first, the newest last). */
export function judgeConvergence(readings: readonly PassReading[], settings: ConvergenceSettings): ConvergenceDecision {
  const newest = readings.at(-1);
  // The first pass sends everything: only from the second on does the rest say anything about the guest.
  if (newest === undefined || newest.pass < 2) return { do: 'iterate' };
  const earlier = readings.slice(0, -1).filter((reading) => reading.pass >= 2);
  const best = Math.min(...earlier.map((reading) => reading.remainingBytes));
  if (fits(newest, settings.maxDowntimeMs)) {
    const shrinking = earlier.length === 0 || newest.remainingBytes < best * WORTH_ANOTHER_PASS;
    const shortEnough = newest.pass > 2 && ramMs(newest) <= SHORT_ENOUGH_MS;
    return shrinking && !shortEnough ? { do: 'iterate' } : { do: 'raise-limit', limitMs: settings.maxDowntimeMs };
  }
  const old = earlier.filter((reading) => newest.atMs - reading.atMs >= settings.stallWindowMs);
  const oldBest = Math.min(...old.map((reading) => reading.remainingBytes));
  const newBest = Math.min(...earlier.filter((reading) => !old.includes(reading)).map((reading) => reading.remainingBytes), newest.remainingBytes);
  const stalled = old.length > 0 && newBest >= oldBest * STALL_MARGIN;
  if (!stalled) return { do: 'iterate' };
  if (settings.onStall === 'force') return { do: 'raise-limit', limitMs: ANY_PAUSE_LIMIT_MS };
  return {
    do: 'give-up',
    reason: `the guest dirties memory faster than it is copied: ${Math.round(newest.remainingBytes / 2 ** 20)} MiB left would pause it for ${Math.round(expectedBlackoutMs(newest))} ms, ${settings.maxDowntimeMs} ms are allowed`,
  };
}
