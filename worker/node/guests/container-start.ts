/**
 * From a container's config in PVE's grammar to what the LXC driver needs. The one place that reads such configs on a node.
 * What can't be honoured is refused by name: to leave out a firewall or a limit would not be the container that was configured.
 */
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { UNPRIVILEGED_IDMAP, type ContainerMount, type ContainerNet, type ContainerStart, type IdRange } from '../../../src/drivers/lxc/container-start.js';
import { configError, throwFirstError } from '../../../src/schema/config-problem.js';
import { CONTAINER_DIALECT } from '../../../src/schema/guest-config-dialect.js';
import { readConfigText, type ConfigEntry } from '../../../src/schema/guest-config-text.js';
import { readBoolean, readInteger, readProperties, readText, type ConfigEntries } from '../../../src/schema/guest-config-values.js';
import { parsePveBoolean } from '../../../src/schema/property-string.js';

/** What a node must know of a container's config. */
export interface ContainerConfig {
  readonly hostname: string;
  readonly onboot: boolean;
  readonly memoryBytes: number;
  readonly cores: number | null;
  /** The root file system and the mount points that are volumes, by key. */
  readonly volumes: readonly ContainerVolume[];
  /** Everything else; the folders of the volumes are not known here. */
  readonly start: Omit<ContainerStart, 'vmid' | 'rootfs' | 'mounts'> & { readonly binds: readonly ContainerMount[] };
}

export interface ContainerVolume {
  readonly key: string;
  readonly volumeId: string;
  /** Where it is seen inside; `/` for the root file system. */
  readonly target: string;
  readonly readonly: boolean;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  i386: 'i686',
  arm64: 'aarch64',
  armhf: 'armhf',
  riscv64: 'riscv64',
  riscv32: 'riscv32',
};
/** Keys that change the container when it starts, and that this driver does not know how to honour. */
const REFUSED = /^(?:hookscript|entrypoint|env|dev\d+)$/;
const KNOWN_OPTIONS: Readonly<Record<'volume' | 'net' | 'features', readonly string[]>> = {
  volume: ['volume', 'mp', 'ro', 'size', 'backup', 'replicate', 'shared'],
  net: ['name', 'bridge', 'hwaddr', 'type', 'ip', 'gw', 'ip6', 'gw6', 'tag', 'mtu', 'link_down'],
  features: ['nesting', 'fuse'],
};

/** @throws KedgeError `bad-config` with line and column, `unsupported` that names the setting */
export function parseContainerConfig(text: string): ContainerConfig {
  const { text: parsed, problems } = readConfigText(text, CONTAINER_DIALECT);
  throwFirstError(problems, CONTAINER_DIALECT.what);
  const list = parsed.entries;
  const raw = parsed.rawEntries.map(({ key, value }) => `${key} = ${value}`);
  const entries: ConfigEntries = new Map(list.map((entry) => [entry.key, entry]));
  const refused = list.find(({ key }) => REFUSED.test(key));
  if (refused !== undefined) throw unsupported(refused, refused.key);
  const mounts = list.filter(({ key }) => /^(?:rootfs|mp\d+)$/.test(key)).map(readMount);
  const binds = mounts.filter(({ source }) => source.startsWith('/'));
  if (!mounts.some(({ key, source }) => key === 'rootfs' && !source.startsWith('/')))
    throw configError({ line: 1, column: 1 }, 'rootfs names no volume, must be like local:101/subvol-101-disk-0.subvol');
  const features = optionsOf(entries, 'features', 'features');
  const memoryBytes = readInteger(entries, 'memory', { min: 16, max: 2 ** 30, absent: 512 }) * 2 ** 20;
  const cores = readInteger(entries, 'cores', { min: 1, max: 8_192, absent: null });
  const cpulimit = Number(readText(entries, 'cpulimit') ?? 0);
  const hostname = readText(entries, 'hostname') ?? 'localhost';
  return {
    hostname,
    onboot: readBoolean(entries, 'onboot', false),
    memoryBytes,
    cores,
    volumes: mounts.filter(({ source }) => !source.startsWith('/')).map(({ key, source, target, readonly }) => ({ key, volumeId: source, target, readonly })),
    start: {
      hostname,
      arch: ARCHITECTURES[readText(entries, 'arch') ?? 'amd64'] ?? 'x86_64',
      binds: binds.map(({ source, target, readonly }) => ({ source, target, readonly })),
      nets: list.filter(({ key }) => /^net\d+$/.test(key)).map(readNet),
      idmap: readIdmap(raw, readBoolean(entries, 'unprivileged', false)),
      memory: { limitBytes: memoryBytes, swapBytes: readInteger(entries, 'swap', { min: 0, max: 2 ** 30, absent: 512 }) * 2 ** 20 },
      cpu: { limit: cpulimit > 0 ? cpulimit : cores, units: readInteger(entries, 'cpuunits', { min: 8, max: 500_000, absent: null }) },
      features: { nesting: isOn(features.get('nesting')), fuse: isOn(features.get('fuse')) },
      raw: raw.filter((line) => !line.startsWith('lxc.idmap ')),
    },
  };
}

/** Puts the folders of the volumes to it. */
export function containerStart(vmid: Vmid, config: ContainerConfig, folderOf: (volumeId: string) => string): ContainerStart {
  const { binds, ...start } = config.start;
  const folders = config.volumes.map(({ volumeId, target, readonly }) => ({ source: folderOf(volumeId), target, readonly }));
  const rootfs = folders.find(({ target }) => target === '/')?.source ?? '';
  return { vmid, rootfs, mounts: [...folders.filter(({ target }) => target !== '/'), ...binds], ...start };
}

/** The id outside that is root inside: the owner of new volumes. */
export function rootOwner(config: ContainerConfig): number {
  return config.start.idmap.find(({ type, inside }) => type === 'u' && inside === 0)?.outside ?? 0;
}

function readMount(entry: ConfigEntry): { key: string; source: string; target: string; readonly: boolean } {
  const properties = checked(entry, 'volume', 'volume');
  const target = entry.key === 'rootfs' ? '/' : properties.get('mp');
  const source = properties.get('volume');
  if (source === undefined) throw configError(entry, `${entry.key} names no volume`);
  if (target === undefined || !target.startsWith('/') || /(?:^|\/)\.\.(?:\/|$)/.test(target))
    throw configError(entry, `mp of ${entry.key} is "${target ?? ''}", must be an absolute path`);
  return { key: entry.key, source, target, readonly: isOn(properties.get('ro')) };
}

function readNet(entry: ConfigEntry): ContainerNet {
  const properties = checked(entry, 'net', undefined);
  const name = properties.get('name');
  if (name === undefined || !/^[A-Za-z0-9][\w.-]{0,14}$/.test(name)) throw configError(entry, `name of ${entry.key} is "${name ?? ''}", must be like eth0`);
  const text = (key: string, dynamic: readonly string[] = []): string | null => {
    const value = properties.get(key);
    return value === undefined || dynamic.includes(value) ? null : value;
  };
  const number = (key: string): number | null => {
    const value = properties.get(key);
    if (value !== undefined && !/^\d{1,5}$/.test(value)) throw configError(entry, `${key} of ${entry.key} is "${value}", must be a number`);
    return value === undefined ? null : Number(value);
  };
  return {
    index: Number(entry.key.slice('net'.length)),
    name,
    bridge: text('bridge'),
    hwaddr: text('hwaddr'),
    ip: text('ip', ['dhcp', 'manual']),
    gw: text('gw'),
    ip6: text('ip6', ['auto', 'dhcp', 'manual']),
    gw6: text('gw6'),
    vlan: number('tag'),
    mtu: number('mtu'),
    linkDown: isOn(properties.get('link_down')),
  };
}

/** Own lines of the config win over PVE's map. */
function readIdmap(raw: readonly string[], unprivileged: boolean): readonly IdRange[] {
  const own = raw.flatMap((line): readonly IdRange[] => {
    const match = /^lxc\.idmap = ([ug]) (\d+) (\d+) (\d+)$/.exec(line);
    return match === null ? [] : [{ type: match[1] === 'u' ? 'u' : 'g', inside: Number(match[2]), outside: Number(match[3]), count: Number(match[4]) }];
  });
  return own.length > 0 ? own : unprivileged ? UNPRIVILEGED_IDMAP : [];
}

function optionsOf(entries: ConfigEntries, key: string, kind: keyof typeof KNOWN_OPTIONS): ReadonlyMap<string, string> {
  const entry = entries.get(key);
  return entry === undefined ? new Map() : checked(entry, kind, undefined);
}

/** The options of an entry, each of which is known here or is off. */
function checked(entry: ConfigEntry, kind: keyof typeof KNOWN_OPTIONS, defaultKey: string | undefined): ReadonlyMap<string, string> {
  const properties = readProperties(entry, defaultKey === undefined ? {} : { defaultKey });
  const unknown = [...properties].find(([key, value]) => !KNOWN_OPTIONS[kind].includes(key) && parsePveBoolean(value) !== false);
  if (unknown !== undefined) throw unsupported(entry, `${entry.key}: ${unknown[0]}`);
  return properties;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && parsePveBoolean(value) === true;
}

function unsupported(entry: ConfigEntry, setting: string): KedgeError {
  return new KedgeError('unsupported', `Cannot use the container config: "${setting}" (line ${entry.line}) is not supported, remove it`);
}
