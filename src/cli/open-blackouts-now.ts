import type { Blackout, OpenBlackout } from '../domain/window/blackout.js';

/** Those that are on at this instant (RFC 3339). The library of rules is loaded only where there are any. */
export async function openBlackoutsNow(blackouts: readonly Blackout[], now: string): Promise<readonly OpenBlackout[]> {
  if (blackouts.length === 0) return [];
  const { openBlackouts } = await import('../schema/blackout-times.js');
  return openBlackouts(blackouts, now);
}
