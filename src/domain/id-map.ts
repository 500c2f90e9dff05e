/**
 * PVE's maps of storages and bridges (`targetstorage`, `target-bridge`): `ID`, `SOURCE:TARGET,…`, both, or `1` for "each to itself".
 * The texts of the errors are PVE's.
 */
import { KedgeError } from './kedge-error.js';
import { splitPveList } from './split-pve-list.js';

/** Where each source goes. */
export interface IdMap {
  /** `1` was asked for: each source to itself, said on purpose. */
  readonly identity: boolean;
  /** For sources that have no entry; null: such a source goes to itself. */
  readonly defaultTarget: string | null;
  readonly entries: ReadonlyMap<string, string>;
}

const KINDS = {
  storage: { id: /^[a-z][a-z0-9._-]*[a-z0-9]$/i, complaint: (id: string) => `storage ID '${id}' contains illegal characters` },
  bridge: { id: /^[-\w.]+$/, complaint: (id: string) => `invalid bridge ID '${id}'` },
} as const;

/**
 * Parses a map; an empty text maps each source to itself.
 * @throws KedgeError `bad-input`, "failed to parse storage map: …" (or "bridge map") with PVE's reason
 */
export function parseIdMap(kind: keyof typeof KINDS, text: string): IdMap {
  const entries = new Map<string, string>();
  let identity = false;
  let defaultTarget: string | null = null;
  const fail = (reason: string): never => {
    throw new KedgeError('bad-input', `failed to parse ${kind} map: ${reason}`);
  };
  for (const entry of splitPveList(text)) {
    const [, source, target] = /^([^:]+):([^:]+)$/.exec(entry) ?? [];
    if (entry === '1') {
      identity = true;
      continue;
    }
    const ids = source !== undefined && target !== undefined ? [source, target] : [entry];
    const bad = ids.find((id) => !KINDS[kind].id.test(id));
    if (bad !== undefined) fail(`entry '${entry}' contains invalid ID - ${KINDS[kind].complaint(bad)}`);
    if (source !== undefined && target !== undefined) {
      if (entries.has(source)) fail(`duplicate mapping for source '${source}'`);
      entries.set(source, target);
    } else {
      if (defaultTarget !== null) fail('default target ID can only be provided once');
      defaultTarget = entry;
    }
  }
  if (identity && (defaultTarget !== null || entries.size > 0)) fail('identity mapping cannot be combined with other mappings');
  return { identity, defaultTarget, entries };
}

/** The target of `source`: its own entry, else the default, else itself. */
export function mapId(map: IdMap, source: string): string {
  return map.entries.get(source) ?? map.defaultTarget ?? source;
}
