import type { Vmid } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { GuestSummary } from '../../domain/node-facts.js';
import type { GuestKind } from '../../domain/ownership.js';
import type { Cluster } from '../cluster.js';
import { guestPlaces, type GuestPlace } from '../guest-places.js';

const CONFIG_FOLDERS: Readonly<Record<GuestKind, string>> = { qemu: 'qemu-server', lxc: 'lxc' };

/** The guests of one kind, each at the node that owns it. */
export async function ownedGuests(cluster: Cluster, kind: GuestKind): Promise<readonly GuestPlace[]> {
  return guestPlaces(await cluster.listNodes()).filter(({ guest }) => guest.kind === kind && guest.record === 'owned');
}

/** One of them. @throws KedgeError `not-found` in the words of PVE: no such guest, or one of the other kind */
export async function findGuest(cluster: Cluster, { kind, vmid }: { kind: GuestKind; vmid: Vmid }): Promise<GuestPlace> {
  const place = (await ownedGuests(cluster, kind)).find(({ guest }) => guest.vmid === vmid);
  if (place === undefined) throw new KedgeError('not-found', `Configuration file 'nodes/*/${CONFIG_FOLDERS[kind]}/${String(vmid)}.conf' does not exist`);
  return place;
}

/** PVE's word: running means that there is a process, even a paused one. */
export const pveStatus = (guest: GuestSummary): 'running' | 'stopped' => (guest.qemu === 'gone' ? 'stopped' : 'running');
