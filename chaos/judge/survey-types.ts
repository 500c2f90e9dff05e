/** What an outsider sees on the nodes. Plain data. */
export interface NodeSurvey {
  readonly node: string;
  /** Files, sockets and the deepest folders, absolute. */
  readonly files: readonly string[];
  /** Ownership records by their files; an unreadable one has no state. */
  readonly records: readonly { readonly vmid: number; readonly state: string; readonly isClaimed: boolean }[];
  /** Beginnings of command lines. */
  readonly processes: readonly string[];
  /** One vmid for each QEMU and each monitor of a container. */
  readonly copies: readonly number[];
  readonly interfaces: readonly string[];
  readonly ports: readonly number[];
  readonly nftTables: readonly string[];
}

export interface Survey {
  readonly nodes: readonly NodeSurvey[];
  /** Files of the shared storage, relative to it. */
  readonly shared: readonly string[];
  /** Ids of the workflows that have not ended. */
  readonly workflows: readonly string[];
}

/** A guest of the lab and the node that runs it, as the observers say. */
export interface PlacedGuest {
  readonly vmid: number;
  readonly isContainer: boolean;
  /** Its disks lie on the node. */
  readonly isLocal: boolean;
  readonly node: string;
}
