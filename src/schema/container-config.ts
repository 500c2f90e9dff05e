/**
 * A container's config in PVE's grammar: the keys that say what it is and what it needs get types, all others are kept as they are.
 * What can't be honoured is refused by name when it is started (`unsupportedContainerSettings`), never dropped.
 */
import { splitPveList } from '../domain/split-pve-list.js';
import { checkEntry } from './check-guest-config.js';
import { decodeDescription } from './config-description.js';
import { configError, throwFirstError } from './config-problem.js';
import { readIdRange, type ContainerIdRange } from './container-config-idmap.js';
import { readMount, type ContainerMount } from './container-config-mount.js';
import { readContainerNet, type ContainerNet } from './container-config-net.js';
import { CONTAINER_KEYS } from './container-config-schema.js';
import { CONTAINER_DIALECT } from './guest-config-dialect.js';
import { readConfigText, type ConfigEntry, type ConfigText } from './guest-config-text.js';
import { printConfigText } from './print-config-text.js';
import { parsePropertyString, parsePveBoolean, type PropertyString } from './property-string.js';
import { typeOfKey } from './value-type.js';

export interface ContainerConfig {
  /** Everything, as read: what `printContainerConfig` prints. */
  readonly text: ConfigText;
  readonly hostname: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  readonly onboot: boolean;
  /** PVE's lock, e.g. `migrate`; null when the container is free. */
  readonly lock: string | null;
  readonly arch: string;
  readonly ostype: string | null;
  /** null: all cores of the node. */
  readonly cores: number | null;
  /** Processors' worth of time; 0: without limit. */
  readonly cpuLimit: number;
  /** Its weight among others, as cgroup version 1 counts it; null: the default. */
  readonly cpuUnits: number | null;
  readonly memoryMiB: number;
  readonly swapMiB: number;
  readonly unprivileged: boolean;
  /** Its own ranges of ids, which win over those of `unprivileged`. */
  readonly idmap: readonly ContainerIdRange[];
  /** `nesting=1`, `mount=nfs;cifs`, … */
  readonly features: PropertyString;
  /** The root, when there is one, then `mpN` by number. */
  readonly mounts: readonly ContainerMount[];
  /** `netN` by number. */
  readonly nets: readonly ContainerNet[];
}

/** Parses a config file; keys that have no type here may say what they want. @throws KedgeError `bad-config` with line and column */
export function parseContainerConfig(source: string): ContainerConfig {
  const { text, problems } = readConfigText(source, CONTAINER_DIALECT);
  throwFirstError([...problems, ...text.entries.filter(isTyped).flatMap((entry) => checkEntry(entry, 'ct', CONTAINER_KEYS))], CONTAINER_DIALECT.what);
  const values = new Map(text.entries.map(({ key, value }) => [key, value]));
  const flag = (key: string): boolean => parsePveBoolean(values.get(key) ?? '0') ?? false;
  const number = <Absent>(key: string, absent: Absent): number | Absent => (values.has(key) ? Number(values.get(key)) : absent);
  return {
    text,
    hostname: values.get('hostname') ?? null,
    description: decodeDescription(text.descriptionLines),
    tags: splitPveList(values.get('tags') ?? ''),
    onboot: flag('onboot'),
    lock: values.get('lock') ?? null,
    arch: values.get('arch') ?? 'amd64',
    ostype: values.get('ostype') ?? null,
    cores: number('cores', null),
    cpuLimit: number('cpulimit', 0),
    cpuUnits: number('cpuunits', null),
    memoryMiB: number('memory', 512),
    swapMiB: number('swap', 512),
    unprivileged: flag('unprivileged'),
    idmap: text.rawEntries.flatMap(readIdRange),
    features: parsePropertyString(values.get('features') ?? ''),
    mounts: [...text.entries.filter(({ key }) => key === 'rootfs'), ...numbered(text, 'mp')].map(readMount),
    nets: numbered(text, 'net').map(readContainerNet),
  };
}

/** The mount of the root file system, without which no container can start. @throws KedgeError `bad-config` when there is none */
export function rootOf({ mounts }: ContainerConfig): ContainerMount {
  const root = mounts.find(({ key }) => key === 'rootfs');
  if (root !== undefined) return root;
  throw configError({ line: 1, column: 1 }, 'rootfs names no volume, must be like local:101/subvol-101-disk-0.subvol', CONTAINER_DIALECT.what);
}

/** The mounts that are volumes of a storage. */
export function containerVolumes({ mounts }: ContainerConfig): readonly ContainerMount[] {
  return mounts.filter(({ kind }) => kind === 'volume');
}

/** Prints the config as PVE does; parsing it again gives the same config. */
export function printContainerConfig(config: ContainerConfig): string {
  return printConfigText(config.text);
}

/** The config with some keys of the main section set, or removed with null. @throws KedgeError `bad-config` for a bad value */
export function editContainerConfig(config: ContainerConfig, changes: Readonly<Record<string, string | null>>): ContainerConfig {
  const kept = config.text.entries.filter(({ key }) => !Object.hasOwn(changes, key));
  const added = Object.entries(changes).flatMap(([key, value]) => (value === null ? [] : [{ key, value, line: 0, column: 0 }]));
  for (const { key, value } of added) {
    if (/[\r\n]/.test(key + value)) throw configError({ line: 0, column: 0 }, `the new value of "${key}" has a line break`, CONTAINER_DIALECT.what);
  }
  return parseContainerConfig(printConfigText({ ...config.text, entries: [...kept, ...added] }));
}

/** Lock, tags and type of system are taken as they are: a word that only a newer PVE knows changes nothing for the container. */
function isTyped({ key }: ConfigEntry): boolean {
  return /^(?:hostname|onboot|arch|cores|cpulimit|cpuunits|memory|swap|unprivileged|features|rootfs|mp\d+|net\d+)$/.test(key);
}

function numbered(text: ConfigText, name: string): readonly ConfigEntry[] {
  const found = text.entries.flatMap((entry) => {
    const [, written, index] = /^([a-z]+)(\d+)$/.exec(entry.key) ?? [];
    return written === name && typeOfKey(CONTAINER_KEYS, entry.key) !== undefined ? [{ entry, index: Number(index) }] : [];
  });
  return found.toSorted((left, right) => left.index - right.index).map(({ entry }) => entry);
}
