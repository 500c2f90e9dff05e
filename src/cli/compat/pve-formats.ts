/** Values that options of both look-alikes have, with PVE's complaints. */
import { KedgeError } from '../../domain/kedge-error.js';
import { parseIdMap } from '../../domain/id-map.js';
import { isCidr } from '../../schema/value-formats.js';

/** A network like 10.1.0.0/24. */
export function complainOfCidr(value: string): string | null {
  return isCidr(value, 4) || isCidr(value, 6) ? null : 'invalid format - value does not look like a valid CIDR network';
}

/** PVE's map of storages. */
export function complainOfStorageMap(value: string): string | null {
  try {
    parseIdMap('storage', value);
    return null;
  } catch (error) {
    if (error instanceof KedgeError) return error.message;
    throw error;
  }
}
