/** What a guest needs of the node that runs it, as its config says. Plain JSON. */

export interface NetworkNeed {
  /** The config key, e.g. `net0`. */
  readonly key: string;
  readonly bridge: string | null;
  /** Do its packets belong to VLANs (`tag`, `trunks`)? */
  readonly vlan: boolean;
  /** Null: as the bridge has it. */
  readonly mtu: number | null;
}

export interface DeviceNeed {
  readonly key: string;
  readonly value: string;
  /** The name under which the cluster knows such devices on several nodes; null: this node's only. */
  readonly mapping: string | null;
}

export interface GuestNeeds {
  readonly lock: string | null;
  readonly cores: number;
  /** The machine type that its config asks for, an alias or a versioned one; null for a container. Absent from an older Kedge. */
  readonly machine?: string | null;
  readonly devices: readonly DeviceNeed[];
  readonly nets: readonly NetworkNeed[];
  /** Keys that encrypt the guest's memory, e.g. `amd-sev`. */
  readonly encryption: readonly string[];
  /** Does it share a clipboard over VNC? */
  readonly vncClipboard: boolean;
  /** Settings that a start would refuse. */
  readonly unsupported: readonly string[];
  /** Keys of changes that wait for the next start. */
  readonly pending: readonly string[];
}
