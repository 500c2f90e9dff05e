import type { NodeName, Vmid } from '../ids.js';
import type { GuestRule, NotLivePolicy } from './snapshot.js';

/** What the operator says of a guest. */
export interface GuestPlacement {
  readonly pinned: boolean;
  readonly priority: number;
  readonly whenNotLive: NotLivePolicy;
}

/** The operator's wishes for where guests run: `placement` of kedge.yaml. */
export interface Placement {
  /** Of guests that have no own word. */
  readonly whenNotLive: NotLivePolicy;
  readonly survivesOneNode: boolean;
  readonly guests: ReadonlyMap<Vmid, GuestPlacement>;
  readonly rules: readonly GuestRule[];
  /** What is absent is as the node itself declares it. */
  readonly nodes: ReadonlyMap<NodeName, { readonly reserveBytes?: number | undefined; readonly speed?: number | undefined }>;
}

/** Of a cluster whose kedge.yaml says nothing. */
export const NO_PLACEMENT: Placement = { whenNotLive: 'skip', survivesOneNode: false, guests: new Map(), rules: [], nodes: new Map() };
