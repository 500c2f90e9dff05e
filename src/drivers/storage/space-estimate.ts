import type { StorageCapabilities, StorageSpace, VolumeInfo } from './driver.js';

/** File systems need metadata for what they hold. */
const METADATA_SHARE = 1 / 128;
const METADATA_BYTES = 1024 * 1024;

/** A copy that was promised a place: how much it will take, and how much of that it takes already. */
export interface SpaceReservation {
  readonly expectedBytes: number;
  readonly presentBytes: number;
}

/** How much a copy of a volume will take on a storage: what is allocated where holes stay holes, else its full size. */
export function spaceForCopy(volume: Pick<VolumeInfo, 'allocatedBytes' | 'virtualBytes' | 'format'>, target: Pick<StorageCapabilities, 'thin'>): number {
  const bytes = target.thin || volume.format === 'subvol' ? volume.allocatedBytes : Math.max(volume.virtualBytes, volume.allocatedBytes);
  return Math.ceil(bytes * (1 + METADATA_SHARE)) + METADATA_BYTES;
}

/** What is left of the free space when all copies that are under way have come in; negative when they don't fit. */
export function spaceAfterReservations(space: Pick<StorageSpace, 'freeBytes'>, reservations: readonly SpaceReservation[]): number {
  return reservations.reduce((left, { expectedBytes, presentBytes }) => left - Math.max(0, expectedBytes - presentBytes), space.freeBytes);
}
