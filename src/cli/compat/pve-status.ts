import type { GuestPlace } from '../guest-places.js';
import { pveStatus } from './pve-guests.js';

/** The text of `status`; `verbose` adds what the cluster knows, by name. */
export function statusText({ guest, node }: GuestPlace, { verbose }: { verbose: boolean }): string {
  if (!verbose) return `status: ${pveStatus(guest)}\n`;
  const ofKind = guest.kind === 'lxc' ? { type: 'lxc' } : { qmpstatus: guest.qemu === 'gone' ? 'stopped' : guest.qemu };
  const facts = { cpus: guest.cores, maxmem: guest.memoryBytes, name: guest.name, node, status: pveStatus(guest), vmid: guest.vmid, ...ofKind };
  return Object.entries(facts)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => `${name}: ${String(value)}\n`)
    .join('');
}
