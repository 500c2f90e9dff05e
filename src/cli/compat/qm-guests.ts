import { KedgeError } from '../../domain/kedge-error.js';
import type { Vmid } from '../../domain/ids.js';
import type { GuestSummary } from '../../domain/node-facts.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import { guestPlaces } from '../guest-places.js';

const MIB = 2 ** 20;

/** `qm list`: PVE's columns; disk size and pid are not known to the cluster and stay "-". */
export async function qmList(context: CliContext, cluster: Cluster): Promise<void> {
  const guests = await ownedGuests(cluster);
  context.out(line(['VMID', 'NAME', 'STATUS', 'MEM(MB)', 'BOOTDISK(GB)', 'PID']));
  for (const { guest } of guests) {
    context.out(line([String(guest.vmid), guest.name, pveStatus(guest), String(Math.round(guest.memoryBytes / MIB)), '-', '-']));
  }
}

/** `qm status`: running means that there is a process, even a paused one, as PVE has it. */
export async function qmStatus(context: CliContext, cluster: Cluster, { vmid, verbose }: { vmid: Vmid; verbose: boolean }): Promise<void> {
  const place = (await ownedGuests(cluster)).find(({ guest }) => guest.vmid === vmid);
  if (place === undefined) throw new KedgeError('not-found', `Configuration file 'nodes/*/qemu-server/${String(vmid)}.conf' does not exist`);
  const { guest, node } = place;
  if (!verbose) {
    context.out(`status: ${pveStatus(guest)}\n`);
    return;
  }
  const facts = {
    cpus: guest.cores,
    maxmem: guest.memoryBytes,
    name: guest.name,
    node,
    qmpstatus: guest.qemu === 'gone' ? 'stopped' : guest.qemu,
    status: pveStatus(guest),
    vmid,
  };
  context.out(
    Object.entries(facts)
      .map(([name, value]) => `${name}: ${String(value)}\n`)
      .join(''),
  );
}

const ownedGuests = async (cluster: Cluster) => guestPlaces(await cluster.listNodes()).filter(({ guest }) => guest.kind === 'qemu' && guest.record === 'owned');
const pveStatus = (guest: GuestSummary): 'running' | 'stopped' => (guest.qemu === 'gone' ? 'stopped' : 'running');

/** The widths of PVE's own printf. */
function line([vmid = '', name = '', status = '', memory = '', disk = '', pid = '']: readonly string[]): string {
  const printable = name.replace(/\p{Cc}/gu, '?');
  return `${[vmid.padStart(10), printable.padEnd(20), status.padEnd(10), memory.padEnd(10), disk.padStart(12), pid.padEnd(10)].join(' ')}\n`;
}
