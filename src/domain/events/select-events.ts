import type { NodeName, Vmid } from '../ids.js';
import { isOfSort, type ClusterEvent } from './event.js';

export interface EventFilter {
  /** RFC 3339; earlier ones are left out. */
  readonly since: string;
  readonly node?: NodeName | undefined;
  readonly vmid?: Vmid | undefined;
  /** Kinds and classes; absent: all. */
  readonly sorts?: readonly string[] | undefined;
  /** The newest so many; absent: all. */
  readonly limit?: number | undefined;
}

/** The events that are asked for, each once, newest last. */
export function selectEvents(events: readonly ClusterEvent[], { since, node, vmid, sorts, limit }: EventFilter): readonly ClusterEvent[] {
  const sinceMs = Date.parse(since);
  const chosen = new Map(
    events
      .filter((event) => Date.parse(event.at) >= sinceMs)
      .filter((event) => node === undefined || event.nodes.includes(node))
      .filter((event) => vmid === undefined || event.vmid === vmid)
      .filter((event) => sorts === undefined || sorts.some((sort) => isOfSort(event, sort)))
      .map((event) => [event.id, event]),
  );
  const sorted = [...chosen.values()].sort((one, other) => Date.parse(one.at) - Date.parse(other.at) || order(one.id, other.id));
  return limit === undefined ? sorted : sorted.slice(Math.max(0, sorted.length - limit));
}

/** Not by locale: the order must be the same everywhere. */
function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
