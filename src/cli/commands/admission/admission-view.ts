import { byUrgency, type SlotRequest, type SlotState } from '../../../domain/admission.js';
import { rowsOf, type LimitRow, type LimitSettings } from '../../../domain/admission-limits.js';
import { blockersOf, useOf, type Blocker } from '../../../domain/admission-use.js';

/** Where the value of a limit comes from. */
export type LimitSource = 'default' | 'kedge.yaml' | 'live';

export interface AdmissionView {
  readonly leases: readonly SlotRequest[];
  /** In the order in which they are served. `waitsFor`: empty for a moment, until it is granted. */
  readonly waiting: readonly (SlotRequest & { readonly waitsFor: readonly Blocker[] })[];
  readonly limits: {
    readonly now: readonly (LimitRow & { readonly from: LimitSource })[];
    /** Who has set the live ones last, and when; null: there are none. */
    readonly live: { readonly setBy: string; readonly at: string } | null;
  };
}

/** The state of admission as people and programs read it. */
export function admissionView(state: SlotState): AdmissionView {
  const { leases, waiting, limits, configured = {}, live } = state;
  const use = useOf(leases, limits);
  const has = (settings: LimitSettings, { limit, of }: LimitRow): boolean => rowsOf(settings).some((row) => row.limit === limit && row.of === of);
  const now = rowsOf(limits).map((row) => {
    const from: LimitSource = live !== undefined && has(live.settings, row) ? 'live' : has(configured, row) ? 'kedge.yaml' : 'default';
    return { ...row, from };
  });
  return {
    leases,
    waiting: byUrgency(waiting).map((request) => ({ ...request, waitsFor: blockersOf(request, { limits, use }) })),
    limits: { now, live: live === undefined ? null : { setBy: live.setBy, at: live.at } },
  };
}
