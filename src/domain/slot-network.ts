/** How admission calls the network that carries a copy: `default` for the nodes' `migrationAddress`, else the network in CIDR notation. */
export const DEFAULT_NETWORK = 'default';

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/;
const IPV6 = /^[0-9a-f.:]*:[0-9a-f.:]*\/\d{1,3}$/;

/** The name of a migration's network: of its option `network`. Two ways to write one IPv4 network have one name. */
export function slotNetwork(network: string | null): string {
  return network === null ? DEFAULT_NETWORK : (withoutHost(network) ?? network.toLowerCase());
}

/** Is it a name that `slotNetwork` gives? */
export function isSlotNetwork(name: string): boolean {
  return name === DEFAULT_NETWORK || withoutHost(name) === name || IPV6.test(name);
}

/** The network of an IPv4 address with its bits; null: it is none. */
function withoutHost(network: string): string | null {
  const [, ...numbers] = (IPV4.exec(network) ?? []).map(Number);
  const [bits, ...octets] = [numbers[4] ?? 33, ...numbers.slice(0, 4)];
  if (bits > 32 || octets.some((octet) => octet > 255)) return null;
  const kept = octets.map((octet, at) => {
    const free = 8 - Math.min(8, Math.max(0, bits - 8 * at));
    return octet - (octet % 2 ** free);
  });
  return `${kept.join('.')}/${bits}`;
}
