/**
 * A container's config in PVE's grammar: the keys that say what it is and what it needs get types, all others are kept as they are.
 */
import { splitPveList } from '../domain/split-pve-list.js';
import { checkEntry } from './check-guest-config.js';
import { decodeDescription } from './config-description.js';
import { configError, throwFirstError } from './config-problem.js';
import { readMount, type ContainerMount } from './container-config-mount.js';
import { readContainerNet, type ContainerNet } from './container-config-net.js';
import { CONTAINER_KEYS } from './container-config-schema.js';
import { CONTAINER_DIALECT } from './guest-config-dialect.js';
import { readConfigText, type ConfigEntry, type ConfigText } from './guest-config-text.js';
import { printConfigText } from './print-config-text.js';
import { parsePropertyString, parsePveBoolean, type PropertyString } from './property-string.js';

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
  readonly memoryMiB: number;
  readonly swapMiB: number;
  readonly unprivileged: boolean;
  /** `nesting=1`, `mount=nfs;cifs`, … */
  readonly features: PropertyString;
  readonly rootfs: ContainerMount | null;
  /** `mpN` by number. */
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
  const rootfs = text.entries.find(({ key }) => key === 'rootfs');
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
    memoryMiB: number('memory', 512),
    swapMiB: number('swap', 512),
    unprivileged: flag('unprivileged'),
    features: parsePropertyString(values.get('features') ?? ''),
    rootfs: rootfs === undefined ? null : readMount(rootfs),
    mounts: numbered(text, 'mp').map(readMount),
    nets: numbered(text, 'net').map(readContainerNet),
  };
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

function isTyped({ key }: ConfigEntry): boolean {
  return /^(?:hostname|tags|onboot|lock|arch|ostype|cores|cpulimit|memory|swap|unprivileged|features|rootfs|mp\d+|net\d+)$/.test(key);
}

function numbered(text: ConfigText, name: string): readonly ConfigEntry[] {
  const found = text.entries.flatMap((entry) => {
    const [, written, index] = /^([a-z]+)(\d+)$/.exec(entry.key) ?? [];
    return written === name ? [{ entry, index: Number(index) }] : [];
  });
  return found.toSorted((left, right) => left.index - right.index).map(({ entry }) => entry);
}
