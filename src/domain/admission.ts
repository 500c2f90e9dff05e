/**
 * Who may move a guest now: leases on all that a migration uses, first by priority, then by arrival; a request that can't be
 * served lets later ones pass that can, so that one busy node doesn't hold up the rest. Pure and plain JSON.
 */
import { areSettingsEqual, layLimits, mergeSettings, type LimitSettings, type SlotLimits } from './admission-limits.js';
import { blockersOf, shareOf, useOf, used, type SlotNeeds, type SlotRules } from './admission-use.js';

/** From the most urgent: a failed node, a maintenance window, a person, the balancer. */
export const SLOT_PRIORITIES = ['failure', 'maintenance', 'user', 'balance'] as const;
export type SlotPriority = (typeof SLOT_PRIORITIES)[number];

export interface SlotRequest extends SlotNeeds {
  /** Workflow id and run of the migration that will hold the lease. */
  readonly holder: string;
  readonly runId: string;
  readonly priority: SlotPriority;
}
export type SlotRelease = Pick<SlotRequest, 'holder' | 'runId'>;

export interface LiveLimits {
  readonly settings: LimitSettings;
  /** User name and host. */
  readonly setBy: string;
  /** RFC 3339. */
  readonly at: string;
}

export interface SlotState {
  /** That hold: all layers together. */
  readonly limits: SlotLimits;
  readonly leases: readonly SlotRequest[];
  /** In order of arrival. */
  readonly waiting: readonly SlotRequest[];
  /** `limits` of kedge.yaml, as a control worker has told them last. Absent from a state of an older Kedge. */
  readonly configured?: LimitSettings;
  /** What an operator has set over them. Absent: nothing. */
  readonly live?: LiveLimits;
}

/** `operator` with `reset`: as kedge.yaml has it again. */
export type LimitChange =
  | { readonly from: 'config'; readonly settings: LimitSettings }
  | { readonly from: 'operator'; readonly setBy: string; readonly settings: LimitSettings }
  | { readonly from: 'operator'; readonly setBy: string; readonly reset: true };

/** The state that an entity begins with. One of an older Kedge has limits that nobody could change: those it was started with. */
export function openSlots({ state, limits = {} }: { readonly state?: SlotState | undefined; readonly limits?: LimitSettings | undefined }): SlotState {
  if (state === undefined) return { limits: layLimits([limits]), leases: [], waiting: [], configured: limits };
  return state.configured === undefined ? { ...state, configured: state.limits } : state;
}

/** Lays a change over the limits; what is granted stays granted. One that says nothing new changes nothing. `at`: RFC 3339. */
export function changeLimits(state: SlotState, change: LimitChange, at: string): SlotState {
  const { configured = {}, live, ...rest } = state;
  const laid = (layers: { configured: LimitSettings; live?: LiveLimits | undefined }): SlotState => ({
    ...rest,
    configured: layers.configured,
    ...(layers.live === undefined ? {} : { live: layers.live }),
    limits: layLimits([layers.configured, layers.live?.settings ?? {}]),
  });
  if (change.from === 'config') return areSettingsEqual(configured, change.settings) ? state : laid({ configured: change.settings, live });
  if ('reset' in change) return live === undefined ? state : laid({ configured });
  const settings = mergeSettings(live?.settings ?? {}, change.settings);
  return areSettingsEqual(live?.settings ?? {}, settings) ? state : laid({ configured, live: { settings, setBy: change.setBy, at } });
}

/** Adds a request. A repeated one changes nothing; one of a later run of the same holder replaces what the dead run held. */
export function requestSlot(state: SlotState, request: SlotRequest): SlotState {
  if ([...state.leases, ...state.waiting].some((known) => isSame(known, request))) return state;
  const cleaned = withoutHolders(state, [request.holder]);
  return { ...cleaned, waiting: [...cleaned.waiting, request] };
}

/** The lease that this very request has got, if it has. */
export function findLease({ leases }: SlotState, request: SlotRelease): SlotRequest | undefined {
  return leases.find((lease) => isSame(lease, request));
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

/** Turns into leases what the limits allow now, and names what was granted. `leastShare`: SlotRules. */
export function grantSlots(
  state: SlotState,
  rules: Pick<SlotRules, 'leastShare'> = {},
): { readonly state: SlotState; readonly granted: readonly SlotRequest[] } {
  const limits: SlotRules = { ...state.limits, ...rules };
  const use = useOf(state.leases, limits);
  const granted = new Map<SlotRequest, SlotRequest>();
  for (const request of byUrgency(state.waiting)) {
    if (state.leases.length + granted.size >= limits.cluster) break;
    if (blockersOf(request, { limits, use }).length > 0) continue;
    const lease = withBandwidth(request, limits);
    granted.set(request, lease);
    used(use, lease, limits);
  }
  const leases = [...granted.values()];
  return { state: { ...state, leases: [...state.leases, ...leases], waiting: state.waiting.filter((request) => !granted.has(request)) }, granted: leases };
}

/** The queue in the order in which it is served. */
export function byUrgency(waiting: readonly SlotRequest[]): readonly SlotRequest[] {
  return [...waiting].sort((one, other) => SLOT_PRIORITIES.indexOf(one.priority) - SLOT_PRIORITIES.indexOf(other.priority));
}

function withBandwidth(request: SlotRequest, limits: SlotRules): SlotRequest {
  const bandwidth = shareOf(request, limits);
  return bandwidth === null ? request : { ...request, bandwidth };
}

function isSame(one: SlotRelease, other: SlotRelease): boolean {
  return one.holder === other.holder && one.runId === other.runId;
}
