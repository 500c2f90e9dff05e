import { KedgeError } from '../../domain/kedge-error.js';
import type { BridgeFacts } from '../../domain/node-facts.js';
import { ip, readLinks, removeLink } from './links.js';

/** A tap device as the kernel shows it. */
export interface TapDevice {
  readonly name: string;
  /** The bridge it is attached to, or null. */
  readonly bridge: string | null;
}

/**
 * Makes a tap device, attaches it to a bridge (null: to nothing) and brings it up; one that exists is brought into that
 * state.
 * @throws KedgeError `not-found` without the bridge, `internal` when the kernel refuses
 */
export async function createTap(tap: TapDevice): Promise<void> {
  const { name, bridge } = tap;
  const links = await readLinks();
  if (bridge !== null && !links.some((link) => link.ifname === bridge)) {
    throw new KedgeError('not-found', `Cannot connect ${name}: bridge ${bridge} does not exist on this node`, { details: { bridge } });
  }
  if (!links.some((link) => link.ifname === name)) await ip(['tuntap', 'add', 'dev', name, 'mode', 'tap']);
  await ip(['link', 'set', 'dev', name, ...(bridge === null ? ['nomaster'] : ['master', bridge]), 'up']);
}

/** Removes a tap device; one that is gone already is fine. */
export async function removeTap(name: string): Promise<void> {
  await removeLink(name);
}

/** The tap devices of guests on this node (`tap<vmid>i<n>`); with `vmid` only those of that guest. */
export async function listTaps(vmid?: number): Promise<readonly TapDevice[]> {
  const pattern = vmid === undefined ? /^tap[1-9][0-9]{2,8}i\d+$/ : new RegExp(`^tap${vmid}i\\d+$`);
  return (await readLinks()).filter(({ ifname }) => pattern.test(ifname)).map(({ ifname, master }) => ({ name: ifname, bridge: master ?? null }));
}

/** The bridges of this node. */
export async function readBridges(): Promise<readonly BridgeFacts[]> {
  return (await readLinks())
    .filter(({ linkinfo }) => linkinfo?.info_kind === 'bridge')
    .map(({ ifname, mtu, linkinfo }) => ({ name: ifname, mtu, vlanAware: linkinfo?.info_data?.vlan_filtering === 1 }));
}
