import type { ConfigEntry } from './guest-config-text.js';
import { optionsBeyond, parsePropertyString, parsePveBoolean } from './property-string.js';

/** A network interface of a container: `netN`. */
export interface ContainerNet {
  readonly key: string;
  readonly index: number;
  /** As the container sees it, e.g. `eth0`. */
  readonly name: string;
  /** Lower case; null: made up at each start. */
  readonly mac: string | null;
  readonly bridge: string | null;
  /** `10.0.0.2/24`, `dhcp` or `manual`; for IPv6 `auto`, too. */
  readonly ip: string | null;
  readonly gateway: string | null;
  readonly ip6: string | null;
  readonly gateway6: string | null;
  readonly mtu: number | null;
  /** VLAN of its packets. */
  readonly tag: number | null;
  readonly linkDown: boolean;
  /** Options that Kedge can't honour: a start refuses them by name, since to leave out a firewall or a limit would open a network. */
  readonly unsupported: readonly string[];
}

const HONOURED = ['name', 'type', 'bridge', 'hwaddr', 'mtu', 'ip', 'gw', 'ip6', 'gw6', 'tag', 'link_down'];
/** LXC cuts off what the kernel has no room for. */
const NAME = /^[A-Za-z0-9][\w.-]{0,14}$/;

/** Reads the value of `netN`, which `checkEntry` found right. */
export function readContainerNet({ key, value }: ConfigEntry): ContainerNet {
  const options = parsePropertyString(value);
  const number = (option: string): number | null => (options.has(option) ? Number(options.get(option)) : null);
  const name = options.get('name') ?? '';
  return {
    key,
    index: Number(key.slice('net'.length)),
    name,
    mac: options.get('hwaddr')?.toLowerCase() ?? null,
    bridge: options.get('bridge') ?? null,
    ip: options.get('ip') ?? null,
    gateway: options.get('gw') ?? null,
    ip6: options.get('ip6') ?? null,
    gateway6: options.get('gw6') ?? null,
    mtu: number('mtu'),
    tag: number('tag'),
    linkDown: parsePveBoolean(options.get('link_down') ?? '0') ?? false,
    unsupported: [...optionsBeyond(options, HONOURED), ...(NAME.test(name) ? [] : ['name'])],
  };
}
