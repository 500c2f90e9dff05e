/** A guest of a lost node, as another node finds it on a shared storage. Plain JSON. */
import type { GuestMarker } from './guest-note.js';
import type { NodeName, Vmid } from './ids.js';
import type { GuestKind, Wanted } from './ownership.js';

export interface LostGuest {
  readonly vmid: Vmid;
  readonly kind: GuestKind;
  readonly name: string;
  readonly wanted: Wanted;
  readonly newest: GuestMarker;
  /** The storage that has its note. */
  readonly storage: string;
  readonly memoryBytes: number;
  readonly cores: number;
  readonly bridges: readonly string[];
  readonly storages: readonly string[];
  /** Place in the order of starts (`startup: order=`), the lowest first; null: it does not matter. */
  readonly startOrder: number | null;
}

/** What one node sees of the guests of a lost one. */
export interface LostGuests {
  readonly guests: readonly LostGuest[];
  /** Notes that name the lost node, or may, and can't be used: why not. */
  readonly unusable: readonly { readonly vmid: Vmid | null; readonly reason: string }[];
  /** Guests that this node has handed to the lost one, with nothing on a storage that says so yet. */
  readonly handedOver: readonly Vmid[];
}

/** Which guest is taken over, and under what; the same at each attempt. */
export interface TakeOverRequest {
  readonly vmid: Vmid;
  readonly lost: NodeName;
  /** The marker of the lost node: its record is void below the generation that follows from it. */
  readonly newest: GuestMarker;
  readonly storage: string;
  /** The lost node is proved to be off, in the boot that it registered last: it need not answer. Otherwise it must, as any other node. */
  readonly isLostOff: boolean;
}

/**
 * How it ended at the node that was asked. `refused`: nothing was changed; it may be otherwise later. `owned`: a node owns the guest, under a
 * record that the decision does not make void: there is nothing to take any more.
 */
export type TakeOverResult =
  | { readonly outcome: 'taken'; readonly started: boolean; readonly problem: string | null }
  | { readonly outcome: 'owned'; readonly by: NodeName }
  | { readonly outcome: 'refused'; readonly reason: string };
