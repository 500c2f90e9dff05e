import type { ContainerNet } from './container-start.js';

/** The name of the node's end of a container's network device, as PVE has it. */
export function vethName(vmid: number, index: number): string {
  return `veth${vmid}i${index}`;
}

/** The lines of LXC's config for one network device. */
export function netLines(vmid: number, net: ContainerNet): readonly string[] {
  const key = `lxc.net.${net.index}`;
  const optional = (name: string, value: string | number | null): readonly string[] => (value === null ? [] : [`${key}.${name} = ${value}`]);
  return [
    `${key}.type = veth`,
    `${key}.veth.pair = ${vethName(vmid, net.index)}`,
    `${key}.name = ${net.name}`,
    ...(net.linkDown ? [] : [`${key}.flags = up`]),
    ...optional('link', net.bridge),
    ...optional('hwaddr', net.hwaddr),
    ...optional('mtu', net.mtu),
    ...optional('veth.vlan.id', net.vlan),
    ...optional('ipv4.address', net.ip),
    ...optional('ipv4.gateway', net.gw),
    ...optional('ipv6.address', net.ip6),
    ...optional('ipv6.gateway', net.gw6),
  ];
}
