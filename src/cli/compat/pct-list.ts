import type { GuestPlace } from '../guest-places.js';
import { pveStatus } from './pve-guests.js';

/** `pct list`: PVE's columns; PVE's lock is in a container's config alone and stays empty, but a migration shows as one. */
export function pctList(guests: readonly GuestPlace[]): string {
  const rows = guests.map(({ guest }) => [String(guest.vmid), pveStatus(guest), guest.migrationId === null ? '' : 'migrate', guest.name]);
  return [['VMID', 'Status', 'Lock', 'Name'], ...rows].map(line).join('');
}

/** The widths of PVE's own printf. */
function line([vmid = '', status = '', lock = '', name = '']: readonly string[]): string {
  const printable = name.replace(/\p{Cc}/gu, '?');
  return `${[vmid.padEnd(10), status.padEnd(10), lock.padEnd(12), printable.padEnd(20)].join(' ')}\n`;
}
