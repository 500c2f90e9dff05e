/** When blackouts are on: by the same computation as windows. Never in a workflow, see window-occurrences.ts. */
import type { Blackout, OpenBlackout } from '../domain/window/blackout.js';
import type { Occurrence } from '../domain/window/window.js';
import { eachOccurrence, nextOccurrences } from './window-occurrences.js';

/** Occurrences that follow each other without a gap are one time to wait for; beyond so many the end is looked for again when it has come. */
const MOST_JOINED = 100;

/** Those that are on at this instant (RFC 3339). */
export function openBlackouts(blackouts: readonly Blackout[], now: string): readonly OpenBlackout[] {
  return blackouts.flatMap((blackout) => {
    const { name, nodes, guests } = blackout;
    const endsAt = endOf(blackout, now);
    return endsAt === null ? [] : [{ name, nodes, guests, endsAt }];
  });
}

/** The first time that a blackout is on while one of these occurrences is open. */
export function firstWithin(blackout: Blackout, occurrences: readonly Occurrence[]): Occurrence | null {
  for (const { opensAt, closesAt } of occurrences) {
    const [next] = nextOccurrences(blackout, { from: opensAt, count: 1, skipped: [] });
    if (next !== undefined && Date.parse(next.opensAt) < Date.parse(closesAt)) return next;
  }
  return null;
}

/** Null: it is off. */
function endOf(blackout: Blackout, now: string): string | null {
  let endsAt: string | null = null;
  let joined = 0;
  for (const { opensAt, closesAt } of eachOccurrence(blackout, { from: now, skipped: [] })) {
    if (Date.parse(opensAt) > Date.parse(endsAt ?? now) || (joined += 1) > MOST_JOINED) break;
    endsAt = closesAt;
  }
  return endsAt;
}
