import type { GuestNeeds, NetworkNeed } from '../domain/guest-needs.js';
import type { ContainerConfig } from './container-config.js';
import { unsupportedContainerSettings } from './container-config-unsupported.js';
import { containerDevices, localDevices } from './guest-config-devices.js';
import type { ConfigEntry, ConfigText } from './guest-config-text.js';
import { unsupportedSettings } from './guest-config-unsupported.js';
import type { GuestConfig } from './guest-config.js';
import { machineOf } from './machine-of.js';
import { parsePropertyString, PropertyStringError, type PropertyString } from './property-string.js';

/** PVE's word for "the MTU of the bridge". */
const MTU_OF_BRIDGE = 1;

/** What the guest of this config needs of a node. */
export function guestNeeds(
  guest: { readonly kind: 'vm'; readonly config: GuestConfig } | { readonly kind: 'ct'; readonly config: ContainerConfig },
): GuestNeeds {
  return guest.kind === 'vm' ? needsOfVm(guest.config) : needsOfContainer(guest.config);
}

function needsOfVm(config: GuestConfig): GuestNeeds {
  const { text } = config;
  const valueOf = (key: string): string | undefined => text.entries.find((entry) => entry.key === key)?.value;
  return {
    lock: config.lock,
    cores: config.cores * config.sockets,
    machine: machineOf({ ...config, runningMachine: null }),
    devices: localDevices(text),
    nets: text.entries.filter(({ key }) => /^net\d+$/.test(key)).map((entry) => netOf(entry, 'model')),
    encryption: ['amd-sev', 'intel-tdx'].filter((key) => valueOf(key) !== undefined),
    vncClipboard: propertiesOf(valueOf('vga') ?? '', 'type').get('clipboard') === 'vnc',
    unsupported: unsupportedSettings(config),
    pending: pendingKeys(text),
  };
}

function needsOfContainer(config: ContainerConfig): GuestNeeds {
  const { text, lock, cores } = config;
  return {
    lock,
    cores: cores ?? 1,
    machine: null,
    devices: containerDevices(text),
    nets: text.entries.filter(({ key }) => /^net\d+$/.test(key)).map((entry) => netOf(entry)),
    encryption: [],
    vncClipboard: false,
    unsupported: unsupportedContainerSettings(config).map(({ setting }) => setting),
    pending: pendingKeys(text),
  };
}

function netOf({ key, value }: ConfigEntry, defaultKey?: string): NetworkNeed {
  const options = propertiesOf(value, defaultKey);
  const mtu = Number(options.get('mtu') ?? MTU_OF_BRIDGE);
  return {
    key,
    bridge: options.get('bridge') ?? null,
    vlan: options.has('tag') || options.has('trunks'),
    mtu: mtu > MTU_OF_BRIDGE ? mtu : null,
  };
}

function pendingKeys(text: ConfigText): readonly string[] {
  return text.sections.filter(({ kind }) => kind === 'pending').flatMap(({ entries }) => entries.map(({ key, value }) => (key === 'delete' ? value : key)));
}

/** None for a value that can't be read: `kedge config check` tells of it. */
function propertiesOf(value: string, defaultKey?: string): PropertyString {
  try {
    return parsePropertyString(value, defaultKey === undefined ? {} : { defaultKey });
  } catch (error) {
    if (error instanceof PropertyStringError) return new Map();
    throw error;
  }
}
