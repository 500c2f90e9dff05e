/** Which bandwidth limit holds for an operation on disks and for the RAM stream of a migration. */

const KIB_PER_MB_PER_S = 1_024;
/** PVE's limit when nobody sets one, because QEMU's own default is 128 MiB/s; KiB/s. */
const UNSET_RAM_LIMIT_KIB = 16 * 1_024 * 1_024;

/** `bwlimit` of storage.cfg and datacenter.cfg: KiB/s by operation, `default` for those that aren't named; 0: without limit. */
export type BandwidthLimits = Readonly<Partial<Record<'default' | 'restore' | 'migration' | 'clone' | 'move', number>>>;

export interface BandwidthRequest {
  readonly operation: Exclude<keyof BandwidthLimits, 'default'>;
  /** What the caller asks for, KiB/s; 0: without limit. */
  readonly override?: number;
  /** Limits of the source's and the target's storage; undefined: that storage has none. */
  readonly storages: readonly (BandwidthLimits | undefined)[];
  readonly datacenter?: BandwidthLimits;
  /** May the caller exceed a limit of this level? PVE asks for Datastore.Allocate and for Sys.Modify. Left out: yes, as root. */
  readonly mayExceed?: { readonly storage: boolean; readonly datacenter: boolean };
}

/**
 * The limit in KiB/s, 0 for none: what the caller asks for, within its rights; else the least limit of the storages; else, when no
 * storage has one, that of the datacenter. 0 never is the least of two limits: it means none.
 */
export function resolveBandwidthLimit(request: BandwidthRequest): number {
  const { operation, override, mayExceed = { storage: true, datacenter: true } } = request;
  const limitOf = (limits: BandwidthLimits | undefined): number | undefined => limits?.[operation] ?? limits?.default;
  const ofStorages = request.storages.map(limitOf).filter((limit) => limit !== undefined);
  if (override === undefined) return ofStorages.length > 0 ? leastLimit(ofStorages) : (limitOf(request.datacenter) ?? 0);
  if (ofStorages.length > 0) return mayExceed.storage ? override : leastLimit([override, ...ofStorages]);
  return mayExceed.datacenter ? override : leastLimit([override, limitOf(request.datacenter) ?? 0]);
}

/** The limit of the RAM stream in KiB/s, never 0: the lesser of `bwlimit` (KiB/s) and the config's `migrate_speed` (MB/s), of which 0 means none. */
export function ramBandwidthLimit(limits: { readonly bwlimitKiB: number; readonly migrateSpeedMB: number }): number {
  return leastLimit([limits.bwlimitKiB, limits.migrateSpeedMB * KIB_PER_MB_PER_S]) || UNSET_RAM_LIMIT_KIB;
}

/** A limit, 0 for none, that may not exceed a share; all in one unit. */
export function withinShare(limit: number, share: number | undefined): number {
  return share === undefined ? limit : leastLimit([limit, share]);
}

function leastLimit(limits: readonly number[]): number {
  const real = limits.filter((limit) => limit > 0);
  return real.length === 0 ? 0 : Math.min(...real);
}
