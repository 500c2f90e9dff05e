import type { Span } from '../../domain/forecast.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { formatDuration } from '../../domain/format-duration.js';

/** A forecast of milliseconds for people: `0.6 s to 12 s`. */
export const durationSpan = (span: Span): string => spanText(span, formatDuration);

/** A forecast of bytes for people. */
export const bytesSpan = (span: Span): string => spanText(span, formatBytes);

/** Where what happened lies: in the span, or on which side of it. */
export function judgeSpan({ least, most }: Span, actual: number): 'as foreseen' | 'less than foreseen' | 'more than foreseen' {
  if (actual < least) return 'less than foreseen';
  return most !== null && actual > most ? 'more than foreseen' : 'as foreseen';
}

function spanText({ least, most }: Span, format: (value: number) => string): string {
  const [from, to] = [format(least), most === null ? null : format(most)];
  if (to === null) return `${from} or more`;
  return from === to ? `about ${from}` : `${from} to ${to}`;
}
