import { refusedLxcKey, CONTAINER_KEYS } from './container-config-schema.js';
import type { ContainerConfig } from './container-config.js';
import { isIdmapLine, readIdRange } from './container-config-idmap.js';
import type { ConfigEntry } from './guest-config-text.js';
import { optionsBeyond } from './property-string.js';
import { typeOfKey } from './value-type.js';

export interface UnsupportedSetting {
  /** `key`, `key: option` or `[section]`. */
  readonly setting: string;
  readonly line: number;
}

/** Keys that change the container when it starts, and that the LXC driver does not know how to honour. */
const REFUSED = /^(?:hookscript|entrypoint|env|dev\d+)$/;

/**
 * Names every setting that a start would have to leave out. Empty: the container can start.
 * Without a firewall, a limit or a change that waits for the start, it would not be the container that was configured.
 */
export function unsupportedContainerSettings({ text, mounts, nets, features }: ContainerConfig): readonly UnsupportedSetting[] {
  const options = new Map([...mounts, ...nets].map(({ key, unsupported }) => [key, unsupported]));
  options.set('features', optionsBeyond(features, ['nesting', 'fuse']));
  return [
    ...text.entries.flatMap(({ key, line }) =>
      REFUSED.test(key) || typeOfKey(CONTAINER_KEYS, key) === undefined
        ? [{ setting: key, line }]
        : (options.get(key) ?? []).map((option) => ({ setting: `${key}: ${option}`, line })),
    ),
    ...text.rawEntries.filter(isRefused).map(({ key, line }) => ({ setting: key, line })),
    // Snapshots are states that the container may be taken back to, not settings of the one that starts.
    ...text.sections.filter(({ kind }) => kind !== 'snapshot').map(({ name, line }) => ({ setting: `[${name}]`, line })),
  ];
}

/** Is it none that PVE takes, an id map that can't be read, or one that moves the groups by which Kedge finds the container's processes? */
function isRefused(entry: ConfigEntry): boolean {
  if (isIdmapLine(entry)) return readIdRange(entry).length === 0;
  return refusedLxcKey(entry.key) !== undefined || /^lxc\.cgroup\.(?:dir|relative)/.test(entry.key);
}
