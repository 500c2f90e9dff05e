import { formatDuration } from '../../domain/format-duration.js';
import type { NodeStatus } from '../../domain/node-facts.js';

/** State of a node in a few words: `up`, `up, cordoned`, `silent for 40 s`, `never seen`. */
export function nodeState(status: NodeStatus, nowMs: number): string {
  const presence = presenceOf(status, nowMs);
  return status.cordoned ? `${presence}, cordoned` : presence;
}

function presenceOf({ bootId, silentSince }: NodeStatus, nowMs: number): string {
  if (silentSince !== null) return `silent for ${formatDuration(nowMs - Date.parse(silentSince))}`;
  return bootId === null ? 'never seen' : 'up';
}
