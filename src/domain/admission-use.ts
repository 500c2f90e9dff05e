/**
 * What leases use of the limits, and what holds a request back.
 *
 * The share of a network's bandwidth is its total divided by the moves that it may carry at a time, not by those that it carries now: the streams that run
 * are not slowed down when another comes, and still all of them together stay below the total. Where that would be less than a stream can use, fewer move at
 * a time, and the others wait: by count, so that those with small limits of their own don't overtake one that waits for a whole share again and again.
 */
import { LEAST_BANDWIDTH, limitOf, type LimitedKind, type LimitName, type SlotLimits } from './admission-limits.js';
import type { NodeName } from './ids.js';

/** What a migration takes a part of. All but the nodes are absent from a Kedge that counted nodes only. */
export interface SlotNeeds {
  /** The source, then the target. */
  readonly nodes: readonly NodeName[];
  /** That carries the copy (slot-network.ts). */
  readonly network?: string;
  /** That are written to, or hold the disks that stay where they are. */
  readonly storages?: readonly SlotStorage[];
  /** What the copy would take at most by itself, in bytes per second; absent: as much as it gets. */
  readonly bandwidthLimit?: number;
  /** Once it is granted: what the copy may take, in bytes per second; absent: its network had no limit. */
  readonly bandwidth?: number;
}

/** `node`: whose own it is; absent: all nodes share it. */
export interface SlotStorage {
  readonly storage: string;
  readonly node?: NodeName;
}

/** By place. It is counted up in place: a queue of thousands is served in one pass. */
export type SlotUse = Map<string, number>;

/** `leastShare`: of a network's bandwidth, in bytes per second; absent: LEAST_BANDWIDTH. 0: as a Kedge grants that knew none. */
export interface SlotRules extends SlotLimits {
  readonly leastShare?: number;
}

/** Of these leases. */
export function useOf(leases: readonly SlotNeeds[], limits: SlotRules): SlotUse {
  return leases.reduce<SlotUse>((use, lease) => used(use, lease, limits), new Map());
}

/**
 * A limit that has no room for a request; `of` null: of the cluster. Slots, or bytes per second for `bandwidth`; with `leastShare` it is moves that are
 * counted, because each of one more would get less than that.
 */
export interface Blocker {
  readonly limit: LimitName;
  readonly of: string | null;
  readonly used: number;
  readonly allowed: number;
  readonly leastShare?: number;
}

/** One thing that a migration takes a part of. */
interface Place {
  readonly limit: LimitName;
  readonly of: string | null;
  readonly allowed: number | null;
  readonly part: number;
  readonly leastShare?: number;
}

/** Adds a lease. */
export function used(use: SlotUse, lease: SlotNeeds, limits: SlotRules): SlotUse {
  for (const place of placesOf(lease, limits)) use.set(keyOf(place), (use.get(keyOf(place)) ?? 0) + place.part);
  return use;
}

/** All limits that have no room for the request now. None: it is to be granted. */
export function blockersOf(request: SlotNeeds, { limits, use }: { limits: SlotRules; use: SlotUse }): readonly Blocker[] {
  return placesOf(request, limits).flatMap((place) => {
    const { limit, of, allowed, part, leastShare } = place;
    const before = use.get(keyOf(place)) ?? 0;
    return allowed === null || before + part <= allowed ? [] : [{ limit, of, used: before, allowed, ...(leastShare === undefined ? {} : { leastShare }) }];
  });
}

/** What a request's copy may take if it is granted under these limits, in bytes per second; null: no limit. */
export function shareOf({ network, bandwidthLimit }: SlotNeeds, limits: SlotRules): number | null {
  const total = network === undefined ? null : bandwidthOf(network, limits);
  if (network === undefined || total === null) return null;
  // Without a slot nothing is granted.
  const share = Math.floor(total / Math.max(1, Math.min(slotsOf(network, limits), worthOf(total, limits))));
  return bandwidthLimit === undefined ? share : Math.min(share, bandwidthLimit);
}

/** Would some network's bandwidth, divided by its slots, be less than the least share? Where it would not, the least share changes nothing. */
export function needsLeastShare(requests: readonly SlotNeeds[], limits: SlotRules): boolean {
  return requests.some(({ network }) => {
    const total = network === undefined ? null : bandwidthOf(network, limits);
    return network !== undefined && total !== null && worthOf(total, limits) < slotsOf(network, limits);
  });
}

const bandwidthOf = (network: string, limits: SlotLimits): number | null => limitOf(limits, 'networks', { limit: 'bandwidth', of: network });

/** Moves that the network may carry at a time, whatever its bandwidth. */
function slotsOf(network: string, limits: SlotLimits): number {
  return Math.min(limits.cluster, limitOf(limits, 'networks', { limit: 'perNetwork', of: network }) ?? limits.cluster);
}

/** Moves of which each gets at least the least share of this total: one always does, it has all of it. */
function worthOf(total: number, { leastShare = LEAST_BANDWIDTH }: SlotRules): number {
  return leastShare === 0 ? Infinity : Math.max(1, Math.floor(total / leastShare));
}

function placesOf(request: SlotNeeds, limits: SlotRules): readonly Place[] {
  const { nodes, network, storages = [] } = request;
  const [source, target] = nodes;
  const disks = new Map(storages.map(({ storage, node }) => [node === undefined ? storage : `${storage} on ${node}`, storage]));
  const one = (kind: LimitedKind, limit: LimitName, of: string, name = of): Place => ({
    limit,
    of: name,
    allowed: limitOf(limits, kind, { limit, of }),
    part: 1,
  });
  return [
    { limit: 'cluster', of: null, allowed: limits.cluster, part: 1 },
    ...[...new Set(nodes)].map((node) => one('nodes', 'perNode', node)),
    ...(source === undefined ? [] : [one('nodes', 'out', source)]),
    ...(target === undefined ? [] : [one('nodes', 'in', target)]),
    ...(network === undefined ? [] : [one('networks', 'perNetwork', network), ...bandwidthPlaces(request, network, limits)]),
    ...[...disks].map(([place, storage]) => one('storages', 'perStorage', storage, place)),
  ];
}

/** A lease from before the limit, whose copy has none, counts as one share: it takes a place of those that share. */
function bandwidthPlaces(request: SlotNeeds, network: string, limits: SlotRules): readonly Place[] {
  const total = bandwidthOf(network, limits);
  if (total === null) return [];
  const { leastShare = LEAST_BANDWIDTH } = limits;
  return [
    { limit: 'bandwidth', of: network, allowed: total, part: request.bandwidth ?? shareOf(request, limits) ?? 0 },
    { limit: 'bandwidth', of: network, allowed: worthOf(total, limits), part: 1, leastShare },
  ];
}

function keyOf({ limit, of, leastShare }: Place): string {
  return `${limit} ${of ?? ''}${leastShare === undefined ? '' : ' moves'}`;
}
