/**
 * A VM's config in PVE's grammar: the keys that Kedge's QEMU driver honours get types, all others are kept as they are.
 * What can't be honoured is refused by name when the guest is started (`unsupportedSettings`), never dropped.
 */
import { decodeDescription } from './config-description.js';
import { configError } from './config-problem.js';
import { parseDrive, type GuestDrive } from './guest-config-drive.js';
import { parseNet, type GuestNet } from './guest-config-net.js';
import { parseConfigText, type ConfigText } from './guest-config-text.js';
import { fail, readBoolean, readInteger, readProperties, readText, readWord, type ConfigEntries } from './guest-config-values.js';
import { printConfigText } from './print-config-text.js';
import { parsePveBoolean, type PropertyString } from './property-string.js';

const SCSI_CONTROLLERS = ['lsi', 'lsi53c810', 'virtio-scsi-pci', 'virtio-scsi-single', 'megasas', 'pvscsi'] as const;

export interface GuestConfig {
  /** Everything, as read: what `printGuestConfig` prints. */
  readonly text: ConfigText;
  readonly name: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  readonly onboot: boolean;
  /** PVE's lock, e.g. `migrate`; null when the guest is free. */
  readonly lock: string | null;
  readonly memoryMiB: number;
  readonly cores: number;
  readonly sockets: number;
  /** CPU type and its flags (`+aes`, `-pcid`); null type: the default. */
  readonly cpu: { readonly type: string | null; readonly flags: readonly string[]; readonly unsupported: readonly string[] };
  readonly kvm: boolean;
  readonly acpi: boolean;
  readonly numa: boolean;
  readonly bios: string;
  /** As written: an alias (`q35`) or a version (`pc-q35-7.2+pve0`); null: the default. */
  readonly machine: { readonly type: string | null; readonly unsupported: readonly string[] };
  /** What the running guest was really started with; wins over `machine` and `cpu`. */
  readonly runningMachine: string | null;
  readonly runningCpu: string | null;
  readonly scsiController: (typeof SCSI_CONTROLLERS)[number];
  readonly drives: readonly GuestDrive[];
  readonly nets: readonly GuestNet[];
  /** Serial ports by number: `socket` or a device path. */
  readonly serials: readonly { readonly index: number; readonly kind: string }[];
  /** Device keys in boot order; null: the default. */
  readonly bootOrder: readonly string[] | null;
  readonly vga: string | null;
  /** SMBIOS type 1 fields; `uuid` is also the identity of the guest for QEMU. */
  readonly smbios: PropertyString;
  readonly vmgenid: string | null;
  readonly agent: boolean;
  /** MiB; 0 means without a balloon device. */
  readonly balloonMiB: number | null;
  /** Raw extra arguments of QEMU. */
  readonly args: string;
}

/** Parses a config file. @throws KedgeError `bad-config` with line and column */
export function parseGuestConfig(source: string): GuestConfig {
  const text = parseConfigText(source);
  const entries: ConfigEntries = new Map(text.entries.map((entry) => [entry.key, entry]));
  return {
    text,
    name: readName(entries),
    description: decodeDescription(text.descriptionLines),
    tags: (readText(entries, 'tags') ?? '').split(/[,;\s]+/).filter((tag) => tag !== ''),
    onboot: readBoolean(entries, 'onboot', false),
    lock: readText(entries, 'lock'),
    memoryMiB: readMemory(entries),
    cores: readInteger(entries, 'cores', { min: 1, max: 1_024, absent: 1 }),
    sockets: readInteger(entries, 'sockets', { min: 1, max: 1_024, absent: 1 }),
    cpu: readCpu(entries),
    kvm: readBoolean(entries, 'kvm', true),
    acpi: readBoolean(entries, 'acpi', true),
    numa: readBoolean(entries, 'numa', false),
    bios: readText(entries, 'bios') ?? 'seabios',
    machine: readMachine(entries),
    runningMachine: readText(entries, 'runningmachine'),
    runningCpu: readText(entries, 'runningcpu'),
    scsiController: readScsiController(entries),
    drives: [...indexed(entries, 'virtio', 15), ...indexed(entries, 'scsi', 30)].map(({ entry, kind, index }) => parseDrive(entry, { bus: kind, index })),
    nets: indexed(entries, 'net', 31).map(({ entry, index }) => parseNet(entry, index)),
    serials: indexed(entries, 'serial', 3).map(({ entry, index }) => ({ index, kind: entry.value })),
    bootOrder: readBootOrder(entries),
    vga: readVga(entries),
    smbios: propertiesOf(entries, 'smbios1', undefined),
    vmgenid: readVmgenid(entries),
    agent: readAgent(entries),
    balloonMiB: readInteger(entries, 'balloon', { min: 0, max: 16_777_216, absent: null }),
    args: entries.get('args')?.value ?? '',
  };
}

/** Prints the config as PVE does; parsing it again gives the same config. */
export function printGuestConfig(config: GuestConfig): string {
  return printConfigText(config.text);
}

/** The config with some keys of the main section set, or removed with null. @throws KedgeError `bad-config` for a bad value */
export function editGuestConfig(config: GuestConfig, changes: Readonly<Record<string, string | null>>): GuestConfig {
  const kept = config.text.entries.filter(({ key }) => !Object.hasOwn(changes, key));
  const added = Object.entries(changes).flatMap(([key, value]) => (value === null ? [] : [{ key, value, line: 0, column: 0 }]));
  for (const { key, value } of added) {
    if (/[\r\n]/.test(key + value)) throw configError({ line: 0, column: 0 }, `the new value of "${key}" has a line break`);
  }
  return parseGuestConfig(printConfigText({ ...config.text, entries: [...kept, ...added] }));
}

function readName(entries: ConfigEntries): string | null {
  const entry = entries.get('name');
  if (entry === undefined) return null;
  // A DNS name: it goes onto QEMU's command line, where a comma would begin another option.
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(entry.value) ? entry.value : fail(entry, `name is "${entry.value}", must be a DNS name`);
}

function readMemory(entries: ConfigEntries): number {
  const entry = entries.get('memory');
  if (entry === undefined) return 512;
  const value = readProperties(entry, { defaultKey: 'current' }).get('current') ?? '';
  return /^\d+$/.test(value) && Number(value) >= 16 ? Number(value) : fail(entry, `memory is "${entry.value}", must be a number of MiB, at least 16`);
}

function readCpu(entries: ConfigEntries): GuestConfig['cpu'] {
  const properties = propertiesOf(entries, 'cpu', 'cputype');
  const entry = entries.get('cpu');
  const flags = (properties.get('flags') ?? '').split(';').filter((flag) => flag !== '');
  const bad = flags.find((flag) => !/^[+-][a-z0-9_.-]+$/.test(flag));
  if (entry !== undefined && bad !== undefined) fail(entry, `CPU flag is "${bad}", must be like +aes or -pcid`);
  const type = properties.get('cputype') ?? null;
  if (entry !== undefined && type !== null && !/^[A-Za-z0-9_.-]+$/.test(type)) fail(entry, `CPU type is "${type}", must be the name of a model`);
  return { type, flags, unsupported: [...properties.keys()].filter((key) => !['cputype', 'flags'].includes(key)) };
}

function readMachine(entries: ConfigEntries): GuestConfig['machine'] {
  const properties = propertiesOf(entries, 'machine', 'type');
  return { type: properties.get('type') ?? null, unsupported: [...properties.keys()].filter((key) => key !== 'type') };
}

function readScsiController(entries: ConfigEntries): GuestConfig['scsiController'] {
  const entry = entries.get('scsihw');
  return entry === undefined ? 'lsi' : readWord(entry, { name: 'scsihw', value: entry.value, words: SCSI_CONTROLLERS });
}

function readBootOrder(entries: ConfigEntries): readonly string[] | null {
  // The legacy form of letters (`boot: cdn`) gives no order here; `unsupportedSettings` names it.
  const order = propertiesOf(entries, 'boot', 'legacy').get('order');
  return order === undefined ? null : order.split(';').filter((device) => device !== '');
}

function readVga(entries: ConfigEntries): string | null {
  return propertiesOf(entries, 'vga', 'type').get('type') ?? null;
}

function readVmgenid(entries: ConfigEntries): string | null {
  const entry = entries.get('vmgenid');
  if (entry === undefined) return null;
  return /^(?:[01]|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.test(entry.value)
    ? entry.value
    : fail(entry, `vmgenid is "${entry.value}", must be a UUID, 0 or 1`);
}

function readAgent(entries: ConfigEntries): boolean {
  const entry = entries.get('agent');
  if (entry === undefined) return false;
  const enabled = readProperties(entry, { defaultKey: 'enabled' }).get('enabled') ?? '0';
  return parsePveBoolean(enabled) ?? fail(entry, `agent is "${enabled}", must be 0 or 1`);
}

function propertiesOf(entries: ConfigEntries, key: string, defaultKey: string | undefined): PropertyString {
  const entry = entries.get(key);
  return entry === undefined ? new Map() : readProperties(entry, defaultKey === undefined ? {} : { defaultKey });
}

function indexed<Kind extends string>(entries: ConfigEntries, kind: Kind, max: number) {
  return Array.from({ length: max + 1 }, (_, index) => ({ kind, index, entry: entries.get(`${kind}${index}`) })).flatMap(({ entry, ...place }) =>
    entry === undefined ? [] : [{ ...place, entry }],
  );
}
