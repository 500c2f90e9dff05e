/** What the planner knows of a cluster: one plain JSON object, from a live cluster or a file (docs/snapshot.schema.json). Sizes are bytes. */
import type { NodeName, Vmid } from '../ids.js';
import type { NodePressure } from '../node-facts.js';

export interface ClusterSnapshot {
  readonly v: 1;
  /** RFC 3339. */
  readonly takenAt: string;
  readonly nodes: readonly SnapshotNode[];
  readonly guests: readonly SnapshotGuest[];
  readonly rules: readonly GuestRule[];
  /** Keep so much memory free that the guests of any one node would fit into what the other nodes have left. */
  readonly survivesOneNode: boolean;
}

export interface SnapshotNode {
  readonly name: NodeName;
  /** A node that does not answer, or takes no new guests, is no target. */
  readonly state: 'online' | 'cordoned' | 'silent';
  readonly cores: number;
  /** Speed of one core against a usual one of the cluster, which is 1. */
  readonly speed: number;
  readonly accelerator: 'kvm' | 'tcg';
  readonly cpuFlags: readonly string[];
  readonly memoryBytes: number;
  /** What guests may not have: for the node itself, and what shall stay free. */
  readonly reservedBytes: number;
  /** Version of QEMU. */
  readonly qemu: string;
  readonly machineTypes: readonly string[];
  readonly bridges: readonly string[];
  readonly storages: readonly SnapshotStorage[];
  /** Absent: it does not tell. Only what evens out how busy nodes are goes by it. */
  readonly pressure?: NodePressure | undefined;
}

export interface SnapshotStorage {
  readonly id: string;
  /** Null: this node's alone. Nodes with the same identity see the same files. */
  readonly identity: string | null;
  readonly freeBytes: number;
}

/** What happens to a guest that runs and can't move live, when its node has to be empty. */
export const NOT_LIVE_POLICIES = ['offline', 'shutdown', 'skip', 'wait'] as const;
export type NotLivePolicy = (typeof NOT_LIVE_POLICIES)[number];

export interface SnapshotGuest {
  readonly vmid: Vmid;
  readonly kind: 'qemu' | 'lxc';
  readonly node: NodeName;
  /** A guest that is off needs no memory. */
  readonly running: boolean;
  readonly memoryBytes: number;
  readonly cores: number;
  /** Cores of a usual node that it keeps busy, over some time. */
  readonly cpuLoad: number;
  readonly disks: readonly { readonly storage: string; readonly bytes: number }[];
  readonly bridges: readonly string[];
  /** CPU flags that it was shown and may use. */
  readonly cpuFlags: readonly string[];
  /** Versioned machine type that it runs with or is pinned to; null: whichever the node has. */
  readonly machineType: string | null;
  /** Keys of devices and paths of its node: it can't move at all. */
  readonly localDevices: readonly string[];
  /** The operator wants it where it is. */
  readonly pinned: boolean;
  /** Higher goes first. */
  readonly priority: number;
  readonly whenNotLive: NotLivePolicy;
  /** Where it belongs; null: it was never sent away. */
  readonly home: NodeName | null;
  /** Why it is not to be planned for now, in words, e.g. that it is being migrated; absent: nothing. */
  readonly unmovable?: string | undefined;
}

/** A `required` rule is never broken by a plan; one that is not costs a node points. */
export type GuestRule =
  | { readonly kind: 'together' | 'apart'; readonly id: string; readonly guests: readonly Vmid[]; readonly required: boolean }
  | { readonly kind: 'nodes'; readonly id: string; readonly guests: readonly Vmid[]; readonly nodes: readonly NodeName[]; readonly required: boolean };
