/** Facts about nodes and guests: what presence reports and what the checks judge. Plain JSON. */
import type { Generation, MigrationId, NodeName, Vmid } from './ids.js';
import type { VoidedGuest } from './voided-guest.js';
import type { GuestKind, QemuState, RecordState, Wanted } from './ownership.js';

export interface StorageFacts {
  readonly id: string;
  readonly type: string;
  readonly shared: boolean;
  readonly enabled: boolean;
  /** Marker that two nodes read from the same shared storage; equal means: really the same. */
  readonly identity: string | null;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** What may lie there: `images`, `rootdir`, …; absent from nodes with an older Kedge, like all optional facts here. */
  readonly content?: readonly string[];
}

/** A bridge that guests are connected to. */
export interface BridgeFacts {
  readonly name: string;
  /** Does it keep VLANs apart? */
  readonly vlanAware: boolean;
  readonly mtu: number;
}

/** Which cluster a node takes itself for: the name in kedge.yaml, and the SHA-256 fingerprint of its certificate authority. */
export interface ClusterIdentity {
  readonly name: string;
  /** Null: it has no authority that can be read. */
  readonly authority: string | null;
}

/**
 * What a planner has to know of a guest, as short as it goes: all guests of a node are reported each second. Flags of processors are not named, only
 * whether the guest was shown those of its node.
 */
export interface GuestFootprint {
  readonly onboot: boolean;
  /** PVE's lock, e.g. `backup`. */
  readonly lock: string | null;
  /** `bytes`: what a copy would take; null: not looked at yet, or it can't be found. Volumes that the operator says all nodes have are left out. */
  readonly disks: readonly { readonly storage: string; readonly bytes: number | null }[];
  /** Storages of images in its CD-ROM drives. */
  readonly media: readonly string[];
  readonly bridges: readonly string[];
  /** Was it shown the processor of its node (`cpu: host`)? Every other model is the same on all nodes. */
  readonly hostCpu: boolean;
  /** Versioned type that it runs with, or is pinned to; null: the newest of whichever node starts it. */
  readonly machineType: string | null;
  /** Keys of what only its node has. */
  readonly localDevices: readonly string[];
  /** Cores of its node that it keeps busy, smoothed over minutes; null: not known yet, or it is off. */
  readonly cpuLoad: number | null;
}

/** One guest as its node knows it: record, process, config in short. */
export interface GuestSummary {
  readonly vmid: Vmid;
  readonly kind: GuestKind;
  readonly name: string;
  readonly record: RecordState | 'missing' | 'unreadable';
  readonly generation: Generation | null;
  readonly wanted: Wanted | null;
  readonly migrationId: MigrationId | null;
  readonly qemu: QemuState;
  readonly memoryBytes: number;
  readonly cores: number;
  /** Null: its config can't be read. */
  readonly footprint?: GuestFootprint | null;
}

/** How much of the last minute something had to wait for it, in percent: `some avg60` of Linux's pressure stall information. */
export interface NodePressure {
  readonly memory: number;
  readonly cpu: number;
}

/** What the presence activity of a node reports with every heartbeat. Version 1. */
export interface NodeInventory {
  readonly v: 1;
  readonly node: NodeName;
  readonly bootId: string;
  readonly at: string;
  readonly versions: { readonly kedge: string; readonly protocol: number; readonly protocolOldest?: number | undefined; readonly qemu: string };
  readonly machineTypes: readonly string[];
  readonly cpu: { readonly model: string; readonly flags: readonly string[]; readonly cores: number; readonly accelerator: 'kvm' | 'tcg' };
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  /** 1-minute load average. */
  readonly load: number;
  /** Null: its kernel does not tell. */
  readonly pressure?: NodePressure | null;
  /** As node.yaml declares: memory that guests may not have, and the speed of one core against a usual one of the cluster. */
  readonly reserveBytes?: number;
  readonly speed?: number;
  readonly bridges: readonly string[];
  readonly bridgeFacts?: readonly BridgeFacts[];
  readonly cluster?: ClusterIdentity;
  readonly storages: readonly StorageFacts[];
  readonly guests: readonly GuestSummary[];
  readonly slots: { readonly bulk: number };
  /** What keeps the node from telling all that is asked for here, in words for its operator; absent: nothing. */
  readonly problems?: readonly string[];
}

/** A guest that belongs to a node and was moved away to empty it. */
export interface AwayGuest {
  readonly vmid: Vmid;
  /** RFC 3339. */
  readonly at: string;
}

/** A guest that a node had when it was last heard. */
export interface LastSeenGuest {
  readonly vmid: Vmid;
  readonly name: string;
}

/** A node as its entity workflow `node-<name>` answers. `silentSince` is a fact of missed heartbeats, not a guess. */
export interface NodeStatus {
  readonly node: NodeName;
  readonly bootId: string | null;
  readonly registeredAt: string | null;
  readonly cordoned: boolean;
  readonly silentSince: string | null;
  /** Guests that were taken over from it while it was off, of which it has not heard yet; absent: none. */
  readonly voided?: readonly VoidedGuest[];
  /** Guests that a drain moved away, and since when; they come home with an undrain. Absent: none. */
  readonly away?: readonly AwayGuest[];
  /** The guests that it owned when its presence was lost; absent: not known. */
  readonly lastGuests?: readonly LastSeenGuest[];
  readonly inventory: NodeInventory | null;
  /** Age of the newest heartbeat in milliseconds, when the reader could tell. */
  readonly inventoryAgeMs: number | null;
}

/** What the entity workflow `node-<name>` itself keeps and answers to its query `status`; the inventory is in its heartbeats. */
export type NodeEntityStatus = Pick<NodeStatus, 'node' | 'bootId' | 'registeredAt' | 'cordoned' | 'silentSince' | 'voided' | 'away' | 'lastGuests'>;
