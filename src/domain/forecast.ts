/**
 * What a migration will cost, told before it begins. Honest, not precise: a span from "all goes well" to "the machines are busy"; how
 * much the guest writes meanwhile nobody knows beforehand.
 */
import { finding, type Finding } from './checks.js';
import { formatDuration } from './format-duration.js';
import type { LinkFacts } from './link-facts.js';
import type { MigrationKind, MigrationOptions } from './migration.js';
import type { MovingVolume } from './moving-volume.js';

/** From the least to the most; `most` is null where there is no bound. */
export interface Span {
  readonly least: number;
  readonly most: number | null;
}

export interface Forecast {
  readonly kind: MigrationKind;
  /** To be sent. */
  readonly bytes: Span;
  /** From the start to the end of the migration; milliseconds. */
  readonly durationMs: Span;
  /** How long the guest does not run: its blackout, or from its shutdown to its start; null for a guest that is off. Milliseconds. */
  readonly downtimeMs: Span | null;
  /** Bytes per second that the copy may use: measured between the nodes, limited by an option, or both unknown. */
  readonly bytesPerSecond: number | null;
}

export interface ForecastFacts {
  readonly kind: MigrationKind;
  readonly memoryBytes: number;
  /** Memory that the guest has touched; null: unknown. */
  readonly touchedBytes: number | null;
  readonly volumes: readonly MovingVolume[];
  /** As the source has measured it. */
  readonly link: LinkFacts | null;
  readonly options: MigrationOptions;
  /** As the source's files have them where the options say nothing. */
  readonly limits: CopyLimits;
}

/** What a copy may take: bytes per second, 0 for no limit; and the longest blackout to start a switchover for, milliseconds. */
export interface CopyLimits {
  readonly bandwidthLimit: number;
  readonly maxDowntimeMs: number;
}

interface Rates {
  readonly fast: number;
  readonly slow: number;
}

const MB = 1_000_000;
/** What the programs reach where the link is no limit, on an idle and on a busy machine (docs/performance.md); bytes per second. */
const ENGINES: Readonly<Record<'ram' | 'disk' | 'verify', Rates>> = {
  ram: { fast: 600 * MB, slow: 60 * MB },
  disk: { fast: 300 * MB, slow: 30 * MB },
  verify: { fast: 1_500 * MB, slow: 150 * MB },
};
/** What others leave of the link on a bad day. */
const SHARE_OF_BUSY_LINK = 0.5;
/** Steps around the copy: starting QEMU on the target, records, clean-up; milliseconds. */
const FIXED_MS = { least: 500, most: 10_000 };
/** No hand-over is shorter; milliseconds (src/domain/convergence.ts). */
const LEAST_BLACKOUT_MS = 25;
/** From the hand-over until a guest that was shut down is started. */
const START_MS = { least: 200, most: 10_000 };
/** A guest that works rewrites some of what was sent. */
const REWRITTEN_SHARE = 0.5;
/** Of a guest whose memory nobody has looked at, at least so much is used. */
const LEAST_USED_SHARE = 0.05;

export function forecastMigration(facts: ForecastFacts): Forecast {
  const limit = facts.limits.bandwidthLimit === 0 ? null : facts.limits.bandwidthLimit;
  const measured = facts.link?.migration?.kind === 'probed' ? facts.link.migration.bytesPerSecond : null;
  const bytesPerSecond = measured === null ? limit : Math.min(measured, limit ?? Number.POSITIVE_INFINITY);
  const rates = (engine: Rates): Rates => ({
    fast: Math.min(engine.fast, measured ?? engine.fast, limit ?? engine.fast),
    slow: Math.min(engine.slow, (measured ?? engine.slow) * SHARE_OF_BUSY_LINK, limit ?? engine.slow),
  });
  return { kind: facts.kind, bytesPerSecond, ...(facts.kind === 'live' ? forecastLive(facts, rates(ENGINES.ram)) : forecastCopy(facts, rates(ENGINES.disk))) };
}

/** Which of the user's limits can't be kept even if all goes well. */
export function checkForecast(
  { kind, durationMs, downtimeMs }: Forecast,
  { timeoutMs, maxDowntimeMs }: Pick<MigrationOptions, 'timeoutMs'> & Pick<CopyLimits, 'maxDowntimeMs'>,
): readonly Finding[] {
  return [
    ...(timeoutMs > 0 && durationMs.least > timeoutMs
      ? [finding('timeout-short', `The migration takes at least ${formatDuration(durationMs.least)}, ${formatDuration(timeoutMs)} are allowed`)]
      : []),
    ...(kind === 'live' && downtimeMs !== null && downtimeMs.least > maxDowntimeMs
      ? [finding('blackout-long', `The blackout takes at least ${formatDuration(downtimeMs.least)}, ${formatDuration(maxDowntimeMs)} are allowed`)]
      : []),
  ];
}

type Costs = Pick<Forecast, 'bytes' | 'durationMs' | 'downtimeMs'>;

function forecastLive({ memoryBytes, touchedBytes, link, options, limits }: ForecastFacts, { fast, slow }: Rates): Costs {
  const used = Math.min(touchedBytes ?? memoryBytes, memoryBytes);
  const bytes = {
    least: Math.round(touchedBytes === null ? used * LEAST_USED_SHARE : used * (1 - REWRITTEN_SHARE)),
    most: Math.round(used * (1 + REWRITTEN_SHARE)),
  };
  const roundTripMs = (link?.migration?.kind === 'probed' ? link.migration.datagrams.roundTripMs : null) ?? 0;
  const least = Math.round(LEAST_BLACKOUT_MS + 2 * roundTripMs);
  const forced = options.onStall === 'force';
  return {
    bytes,
    durationMs: { least: FIXED_MS.least + takes(bytes.least, fast), most: forced ? null : FIXED_MS.most + takes(bytes.most, slow) },
    downtimeMs: { least, most: forced ? null : Math.max(least, limits.maxDowntimeMs) },
  };
}

/** Passes over the disks, then everything is read once more on both sides. */
function forecastCopy({ kind, volumes, options }: ForecastFacts, { fast, slow }: Rates): Costs {
  const allocated = volumes.reduce((sum, volume) => sum + volume.allocatedBytes, 0);
  const restarts = kind === 'restart';
  const copiedBefore = restarts && options.presync;
  const bytes = { least: allocated, most: Math.round(copiedBefore ? allocated * (1 + REWRITTEN_SHARE) : allocated) };
  const verify = { least: takes(allocated, ENGINES.verify.fast), most: takes(allocated, ENGINES.verify.slow) };
  const shutdownMs = restarts ? options.shutdownTimeoutMs : 0;
  const off = {
    least: START_MS.least + verify.least + (copiedBefore ? 0 : takes(allocated, fast)),
    most: START_MS.most + verify.most + takes(copiedBefore ? allocated * REWRITTEN_SHARE : allocated, slow),
  };
  return {
    bytes,
    durationMs: {
      least: FIXED_MS.least + takes(bytes.least, fast) + verify.least,
      most: FIXED_MS.most + START_MS.most + takes(bytes.most, slow) + verify.most + shutdownMs,
    },
    downtimeMs: restarts ? off : null,
  };
}

const takes = (bytes: number, bytesPerSecond: number): number => Math.round((bytes / bytesPerSecond) * 1_000);
