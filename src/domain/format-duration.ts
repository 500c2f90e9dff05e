const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Writes a span in milliseconds for people, in at most two units: `87 ms`, `4.2 s`, `3 m 05 s`, `2 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const span = Math.max(0, durationMs);
  if (span < SECOND_MS) return `${String(Math.round(span))} ms`;
  if (span < 10 * SECOND_MS) return `${(Math.floor(span / 100) / 10).toFixed(1)} s`;
  if (span < MINUTE_MS) return `${whole(span, SECOND_MS)} s`;
  if (span < HOUR_MS) return `${whole(span, MINUTE_MS)} m ${whole(span % MINUTE_MS, SECOND_MS).padStart(2, '0')} s`;
  if (span < DAY_MS) return `${whole(span, HOUR_MS)} h ${whole(span % HOUR_MS, MINUTE_MS).padStart(2, '0')} m`;
  return `${whole(span, DAY_MS)} d ${whole(span % DAY_MS, HOUR_MS)} h`;
}

const whole = (span: number, unitMs: number): string => String(Math.floor(span / unitMs));
