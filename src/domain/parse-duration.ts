import { KedgeError } from './kedge-error.js';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a span as people type it (`90s`, `10m`, `1h30m`; a bare number means seconds) into milliseconds. @throws KedgeError `bad-input` that names the field. */
export function parseDuration(text: string, field: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  if (!/^(?:\d+(?:ms|[smhd]))+$/.test(text)) {
    throw new KedgeError('bad-input', `Cannot read ${field}: current value is "${text}", must be a span like 90s, 10m or 1h30m`);
  }
  let total = 0;
  for (const match of text.matchAll(/(\d+)(ms|[smhd])/g)) total += Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
  return total;
}
