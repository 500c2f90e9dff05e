import type { GuestPlace } from '../guest-places.js';
import { pveStatus } from './pve-guests.js';

const MIB = 2 ** 20;

/** `qm list`: PVE's columns; disk size and pid are not known to the cluster and stay "-". */
export function qmList(guests: readonly GuestPlace[]): string {
  const rows = guests.map(({ guest }) => [String(guest.vmid), guest.name, pveStatus(guest), String(Math.round(guest.memoryBytes / MIB)), '-', '-']);
  return [['VMID', 'NAME', 'STATUS', 'MEM(MB)', 'BOOTDISK(GB)', 'PID'], ...rows].map(line).join('');
}

/** The widths of PVE's own printf. */
function line([vmid = '', name = '', status = '', memory = '', disk = '', pid = '']: readonly string[]): string {
  const printable = name.replace(/\p{Cc}/gu, '?');
  return `${[vmid.padStart(10), printable.padEnd(20), status.padEnd(10), memory.padEnd(10), disk.padStart(12), pid.padEnd(10)].join(' ')}\n`;
}
