/** A copy under way: of which volume, by which migration. Both make its temporary name, which needs to be remembered nowhere else. */
export interface IncomingVolume {
  /** The id that the volume will have on this storage; a base in it is left out. */
  readonly volumeId: string;
  /** `<vmid>-<generation>`. */
  readonly migrationId: string;
}

export interface IncomingVolumeInfo extends IncomingVolume {
  readonly path: string;
  /** What the copy takes so far. */
  readonly allocatedBytes: number;
}

/**
 * Volumes on their way in. A copy is written under a temporary name, which tells volume and migration, and gets its final name
 * only when it was verified: a half-written disk never looks like a disk. Every call may be repeated after a crash at any point.
 *
 *   path (journal it) → prepare → … rsync passes … → verify → publish        or at any time: discard
 */
export interface IncomingVolumes {
  /** The temporary path, and what a grant for it has to be. Touches nothing. */
  path(incoming: IncomingVolume): { readonly path: string; readonly kind: 'file' | 'tree' };
  /**
   * Makes the empty file or folder; one that is there already is kept, with what it holds.
   * @throws KedgeError `already-exists` when the final name is taken
   */
  prepare(incoming: IncomingVolume): Promise<void>;
  /**
   * Makes the copy durable and gives it its final name. A copy that was published before is fine.
   * @throws KedgeError `already-exists` when the final name is taken by something else, `not-found` when there is neither
   */
  publish(incoming: IncomingVolume): Promise<void>;
  /**
   * Takes the final name back from a copy that was published: it is a copy under way again, for `discard`. Only for a copy of which it is
   * known that it was published and that nobody has used it since; while the temporary name is there it does nothing, so that a repeated
   * call takes no name from a volume that was made under it meanwhile.
   */
  withdraw(incoming: IncomingVolume): Promise<void>;
  /** Removes the copy, also one that is half published; what was published in full stays: `withdraw` comes before. */
  discard(incoming: IncomingVolume): Promise<void>;
  /** All copies that are under way or were left behind, of one guest or of all. */
  list(vmid?: number): Promise<readonly IncomingVolumeInfo[]>;
}
