/** What the driver must know to start a container: plain values, whichever grammar they come from. */
export interface ContainerStart {
  readonly vmid: number;
  readonly hostname: string;
  /** As LXC spells it: `x86_64`, `aarch64`, …; decides the personality, e.g. `i686` on a 64-bit kernel. */
  readonly arch: string;
  /** Folder that becomes `/`. */
  readonly rootfs: string;
  readonly mounts: readonly ContainerMount[];
  readonly nets: readonly ContainerNet[];
  /** Ranges of ids that the container has; none: it is privileged, its ids are the host's. */
  readonly idmap: readonly IdRange[];
  readonly memory: { readonly limitBytes: number | null; readonly swapBytes: number | null };
  /** `limit` in processors (a fraction is fine); `units` is the weight as cgroup version 1 counts it (`cpu.shares`). */
  readonly cpu: { readonly limit: number | null; readonly units: number | null };
  readonly features: { readonly nesting: boolean; readonly fuse: boolean };
  /** Lines of LXC's own config, after everything else: `lxc.environment = A=b`. */
  readonly raw: readonly string[];
}

/** A folder of the node that is seen at `target` inside. */
export interface ContainerMount {
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
}

export interface ContainerNet {
  /** Decides the name of the node's end of the pair: `veth<vmid>i<index>`. */
  readonly index: number;
  /** Name inside. */
  readonly name: string;
  /** Null: connected to nothing. */
  readonly bridge: string | null;
  /** Null: a random one at each start. */
  readonly hwaddr: string | null;
  /** Addresses with prefix length, e.g. `10.90.2.101/23`; null: the guest looks after it itself. */
  readonly ip: string | null;
  readonly gw: string | null;
  readonly ip6: string | null;
  readonly gw6: string | null;
  /** VLAN id on a bridge that filters VLANs. */
  readonly vlan: number | null;
  readonly mtu: number | null;
  readonly linkDown: boolean;
}

/** `count` ids from `inside` on are the ids from `outside` on of the node. */
export interface IdRange {
  readonly type: 'u' | 'g';
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** The map of an unprivileged container of PVE: root is 100000 outside. */
export const UNPRIVILEGED_IDMAP: readonly IdRange[] = [
  { type: 'u', inside: 0, outside: 100_000, count: 65_536 },
  { type: 'g', inside: 0, outside: 100_000, count: 65_536 },
];
