import type { BandwidthLimits } from '../domain/bandwidth-limit.js';
import { parsePropertyString } from './property-string.js';
import { number, properties, type PropertyType } from './value-type.js';

const OPERATIONS = ['default', 'restore', 'migration', 'clone', 'move'] as const;

/** `bwlimit` of storage.cfg and datacenter.cfg; KiB/s. */
export const bandwidthLimitsType: PropertyType = properties(Object.fromEntries(OPERATIONS.map((operation) => [operation, number()])));

/** Reads a `bwlimit` that `checkValue` found right. */
export function parseBandwidthLimits(text: string): BandwidthLimits {
  const found = parsePropertyString(text);
  return Object.fromEntries(OPERATIONS.filter((operation) => found.has(operation)).map((operation) => [operation, Number(found.get(operation))]));
}
