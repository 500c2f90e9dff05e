import type { ConfigEntry } from './guest-config-text.js';
import { fail, readProperties } from './guest-config-values.js';

const MODELS = ['virtio', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3', 'ne2k_pci', 'ne2k_isa', 'pcnet', 'i82551', 'i82557b', 'i82559er'];

/** A network card of the guest: `netN`. */
export interface GuestNet {
  readonly key: string;
  readonly index: number;
  readonly model: string;
  /** Lower case, with colons. */
  readonly mac: string;
  /** The bridge that its tap device joins; null: connected to nothing. */
  readonly bridge: string | null;
  /** Options that Kedge can't honour: a start refuses them by name, since to leave out a firewall or VLAN would open a network. */
  readonly unsupported: readonly string[];
}

/** Parses the value of `netN`; `<model>=<mac>` is PVE's short form. @throws KedgeError `bad-config` */
export function parseNet(entry: ConfigEntry, index: number): GuestNet {
  const properties = readProperties(entry, { defaultKey: 'model' });
  const short = MODELS.find((model) => properties.has(model));
  const model = short ?? properties.get('model') ?? fail(entry, `${entry.key} names no model`);
  if (!MODELS.includes(model)) fail(entry, `model is "${model}", must be one of ${MODELS.join(', ')}`);
  const mac = (short === undefined ? properties.get('macaddr') : properties.get(short)) ?? fail(entry, `${entry.key} names no MAC address`);
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) fail(entry, `MAC address is "${mac}", must be like BC:24:11:00:00:01`);
  if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) fail(entry, `MAC address is "${mac}", must not be a multicast address`);
  const bridge = properties.get('bridge') ?? null;
  if (bridge !== null && !/^[A-Za-z][\w.-]{0,14}$/.test(bridge)) fail(entry, `bridge is "${bridge}", must be the name of a network interface`);
  const off = (name: string): boolean => properties.get(name) === '0';
  return {
    key: entry.key,
    index,
    model,
    mac: mac.toLowerCase(),
    bridge,
    unsupported: [...properties.keys()].filter((name) => !['model', 'macaddr', 'bridge', short].includes(name) && !off(name)),
  };
}
