/**
 * Who may move a guest now: leases on both nodes of a migration, first by priority, then by arrival; a request that can't be
 * served lets later ones pass that can, so that one busy node doesn't hold up the rest. Pure and plain JSON.
 */
import type { NodeName } from './ids.js';

/** From the most urgent: a failed node, a maintenance window, a person, the balancer. */
export const SLOT_PRIORITIES = ['failure', 'maintenance', 'user', 'balance'] as const;
export type SlotPriority = (typeof SLOT_PRIORITIES)[number];

export interface SlotRequest {
  /** Workflow id and run of the migration that will hold the lease. */
  readonly holder: string;
  readonly runId: string;
  readonly nodes: readonly NodeName[];
  readonly priority: SlotPriority;
}
export type SlotRelease = Pick<SlotRequest, 'holder' | 'runId'>;

export interface SlotLimits {
  /** Migrations at a time that touch one node, as source or as target. */
  readonly perNode: number;
  readonly cluster: number;
}
export const DEFAULT_SLOT_LIMITS: SlotLimits = { perNode: 2, cluster: 8 };

export interface SlotState {
  readonly limits: SlotLimits;
  readonly leases: readonly SlotRequest[];
  /** In order of arrival. */
  readonly waiting: readonly SlotRequest[];
}

/** Adds a request. A repeated one changes nothing; one of a later run of the same holder replaces what the dead run held. */
export function requestSlot(state: SlotState, request: SlotRequest): SlotState {
  if ([...state.leases, ...state.waiting].some((known) => isSame(known, request))) return state;
  const cleaned = withoutHolders(state, [request.holder]);
  return { ...cleaned, waiting: [...cleaned.waiting, request] };
}

/** Frees the lease or the place in the queue; an unknown one is fine. */
export function releaseSlot(state: SlotState, release: SlotRelease): SlotState {
  const keep = (entry: SlotRequest): boolean => !isSame(entry, release);
  return { ...state, leases: state.leases.filter(keep), waiting: state.waiting.filter(keep) };
}

/** Frees everything of holders that have ended. */
export function withoutHolders(state: SlotState, holders: readonly string[]): SlotState {
  const keep = (entry: SlotRequest): boolean => !holders.includes(entry.holder);
  return { ...state, leases: state.leases.filter(keep), waiting: state.waiting.filter(keep) };
}

/** Turns into leases what the limits allow now, and names what was granted. */
export function grantSlots(state: SlotState): { readonly state: SlotState; readonly granted: readonly SlotRequest[] } {
  const byUrgency = [...state.waiting].sort((one, other) => SLOT_PRIORITIES.indexOf(one.priority) - SLOT_PRIORITIES.indexOf(other.priority));
  const leases = [...state.leases];
  const granted: SlotRequest[] = [];
  for (const request of byUrgency) {
    if (leases.length >= state.limits.cluster) break;
    const full = request.nodes.some((node) => leases.filter((lease) => lease.nodes.includes(node)).length >= state.limits.perNode);
    if (full) continue;
    leases.push(request);
    granted.push(request);
  }
  return { state: { ...state, leases, waiting: state.waiting.filter((request) => !granted.includes(request)) }, granted };
}

function isSame(one: SlotRelease, other: SlotRelease): boolean {
  return one.holder === other.holder && one.runId === other.runId;
}
