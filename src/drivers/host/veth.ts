import { readLinks, removeLink } from './links.js';

/** The node's end of a container's network device. */
export interface VethDevice {
  readonly name: string;
  /** The bridge it is attached to, or null. */
  readonly bridge: string | null;
}

/** The network devices of containers on this node (`veth<vmid>i<n>`); with `vmid` only those of that container. */
export async function listVeths(vmid?: number): Promise<readonly VethDevice[]> {
  const pattern = vmid === undefined ? /^veth[1-9][0-9]{2,8}i\d+$/ : new RegExp(`^veth${vmid}i\\d+$`);
  return (await readLinks()).filter(({ ifname }) => pattern.test(ifname)).map(({ ifname, master }) => ({ name: ifname, bridge: master ?? null }));
}

/** Removes a container's device together with its end inside; one that is gone already is fine. */
export async function removeVeth(name: string): Promise<void> {
  await removeLink(name);
}
