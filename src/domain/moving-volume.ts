/** Volumes that a migration copies from node to node. Plain JSON: it travels through workflows. */

/** A volume as its source sees it. */
export interface MovingVolume {
  /** `<storage>:<vmid>/<name>`, as the guest's config has it. */
  readonly volumeId: string;
  readonly storage: string;
  readonly format: 'raw' | 'qcow2' | 'subvol';
  /** Size as the guest sees it; 0 for a `subvol`, which has no limit. */
  readonly virtualBytes: number;
  readonly allocatedBytes: number;
}

/** Where the copy of a volume goes. */
export interface CopiedVolume {
  /** Id on the source. */
  readonly from: string;
  /** Id on the target; another one where the target's storage is mapped or the name is taken there. */
  readonly to: string;
  /** A folder for a `subvol`. */
  readonly kind: 'file' | 'tree';
  readonly allocatedBytes: number;
}
