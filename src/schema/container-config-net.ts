import type { ConfigEntry } from './guest-config-text.js';
import { parsePropertyString, parsePveBoolean } from './property-string.js';

/** A network interface of a container: `netN`. */
export interface ContainerNet {
  readonly key: string;
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
  readonly trunks: readonly number[];
  /** MB/s; null: without limit. */
  readonly rate: number | null;
  readonly firewall: boolean;
  readonly linkDown: boolean;
}

/** Reads the value of `netN`, which `checkEntry` found right. */
export function readContainerNet({ key, value }: ConfigEntry): ContainerNet {
  const options = parsePropertyString(value);
  const number = (name: string): number | null => (options.has(name) ? Number(options.get(name)) : null);
  return {
    key,
    name: options.get('name') ?? '',
    mac: options.get('hwaddr')?.toLowerCase() ?? null,
    bridge: options.get('bridge') ?? null,
    ip: options.get('ip') ?? null,
    gateway: options.get('gw') ?? null,
    ip6: options.get('ip6') ?? null,
    gateway6: options.get('gw6') ?? null,
    mtu: number('mtu'),
    tag: number('tag'),
    trunks: (options.get('trunks') ?? '')
      .split(';')
      .filter((id) => id !== '')
      .map(Number),
    rate: number('rate'),
    firewall: parsePveBoolean(options.get('firewall') ?? '0') ?? false,
    linkDown: parsePveBoolean(options.get('link_down') ?? '0') ?? false,
  };
}
