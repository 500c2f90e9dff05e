/** `datacenter.cfg` in PVE's grammar: `key: value` lines; `#` lines are the description. */
import type { BandwidthLimits } from '../domain/bandwidth-limit.js';
import { parseBandwidthLimits } from './bandwidth-limits.js';
import { checkDatacenterEntry, readDatacenterConfig } from './check-datacenter-config.js';
import { throwFirstError } from './config-problem.js';
import { parsePropertyString, parsePveBoolean } from './property-string.js';

/** What Kedge takes from datacenter.cfg. */
export interface DatacenterConfig {
  /** How the RAM stream travels, and the network that carries it; null: the file does not say. */
  readonly migration: { readonly type: 'secure' | 'insecure' | null; readonly network: string | null };
  /** KiB/s by operation; null: nothing is limited. */
  readonly bandwidthLimits: BandwidthLimits | null;
  /** How many tasks of a batch run at once; null: the batch must say. */
  readonly maxWorkers: number | null;
  /** Begin of the MAC addresses of new network cards. */
  readonly macPrefix: string;
}

const USED = ['migration', 'migration_unsecure', 'bwlimit', 'max_workers', 'mac_prefix'];

/** Parses a datacenter.cfg; keys that Kedge has no use for may say what they want. @throws KedgeError `bad-config` with line and column */
export function parseDatacenterConfig(source: string): DatacenterConfig {
  const { entries, problems } = readDatacenterConfig(source);
  throwFirstError([...problems, ...entries.filter(({ key }) => USED.includes(key)).flatMap(checkDatacenterEntry)], 'datacenter.cfg');
  const values = new Map(entries.map(({ key, value }) => [key, value]));
  const migration = parsePropertyString(values.get('migration') ?? '', { defaultKey: 'type' });
  const limits = values.get('bwlimit');
  const workers = values.get('max_workers');
  return {
    migration: { type: readType(migration.get('type'), values.get('migration_unsecure')), network: migration.get('network') ?? null },
    bandwidthLimits: limits === undefined ? null : parseBandwidthLimits(limits),
    maxWorkers: workers === undefined ? null : Number(workers),
    macPrefix: values.get('mac_prefix') ?? 'BC:24:11',
  };
}

/** The flag of PVE before 4.3 counts only while `migration` names no type. */
function readType(type: string | undefined, unsecure: string | undefined): 'secure' | 'insecure' | null {
  if (type !== undefined) return type === 'insecure' ? 'insecure' : 'secure';
  return unsecure === undefined ? null : parsePveBoolean(unsecure) === true ? 'insecure' : 'secure';
}
