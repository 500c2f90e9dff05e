import { KedgeError } from '../../src/domain/kedge-error.js';

/** Where the lab shows the folder of `tools/guest-image.sh` to every node. */
const IMAGE_FOLDER = '/usr/lib/kedge/guest';
const MIB = 1 << 20;
/** Kernel, drivers and the witness itself, beside the working set. */
const OWN_MIB = 96;
/** Hosts of 10.90.2.0/23 that guests may have: .2.2 to .3.253. */
const FIRST_HOST = 2;
const HOSTS = 508;

export interface WitnessGuest {
  readonly vmid: number;
  readonly name: string;
  readonly memoryMiB: number;
  /** Bytes per second that the guest overwrites. */
  readonly dirtyRate: number;
  /** Bytes that it overwrites in turn. */
  readonly workingSet: number;
  /** Sizes in MiB; the first disk holds the journal. None: no journal. */
  readonly disks: readonly number[];
  /** Storage of the disks, e.g. `shared`. */
  readonly storage: string;
  /** Default 5. */
  readonly tickMs?: number;
  /** Default 1. */
  readonly cores?: number;
  /** Started when its node is; default: not. */
  readonly onboot?: boolean;
  /** Default: from the vmid, see `witnessAddress`. */
  readonly ip?: string;
}

/**
 * The config of a witness guest in PVE's grammar. Its volumes have PVE's names (`shared:101/vm-101-disk-0.raw`).
 * @throws KedgeError `bad-input` when the working set does not fit into the memory
 */
export function witnessGuestConfig(guest: WitnessGuest): string {
  const { vmid, name, memoryMiB, storage, disks } = guest;
  const fitting = (memoryMiB - OWN_MIB) * MIB;
  if (guest.workingSet > fitting) {
    throw new KedgeError(
      'bad-input',
      `Cannot make witness ${vmid}: its working set is ${Math.ceil(guest.workingSet / MIB)} MiB, must be at most ${Math.max(0, memoryMiB - OWN_MIB)} MiB with ${memoryMiB} MiB of memory`,
    );
  }
  const lines = [
    `args: ${witnessArguments(guest)}`,
    // Without a driver for it in the guest a balloon would be one more device to move.
    'balloon: 0',
    `cores: ${guest.cores ?? 1}`,
    'machine: pc-q35-7.2',
    `memory: ${memoryMiB}`,
    `name: ${name}`,
    `net0: virtio=${witnessMac(vmid)},bridge=vmbr0`,
    ...(guest.onboot === true ? ['onboot: 1'] : []),
    'ostype: l26',
    'scsihw: virtio-scsi-pci',
    'serial0: socket',
    `smbios1: uuid=${witnessUuid(vmid)}`,
    'vga: none',
    ...disks.map((sizeMiB, index) => `virtio${index}: ${storage}:${vmid}/vm-${vmid}-disk-${index}.raw,size=${sizeMiB}M,cache=none`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The guest's address in the guest network, without prefix: 10.90.2.101 for 101; vmids 508 apart share one. */
export function witnessAddress(vmid: number): string {
  const host = FIRST_HOST + ((vmid - FIRST_HOST) % HOSTS);
  return `10.90.${2 + (host >> 8)}.${host & 0xff}`;
}

function witnessArguments({ vmid, dirtyRate, workingSet, disks, tickMs, ip }: WitnessGuest): string {
  const kernel = [
    'console=ttyS0 quiet panic=-1',
    // A steady clock under emulation; preempt=full lets the ticking thread in at once.
    'tsc=reliable no_timer_check preempt=full',
    // A fast boot.
    'mitigations=off nokaslr init_on_alloc=0 nowatchdog audit=0 ipv6.disable=1 raid=noautodetect random.trust_cpu=on cryptomgr.notests',
    `witness.vmid=${vmid} witness.ip=${ip ?? witnessAddress(vmid)}/23 witness.gateway=10.90.2.1`,
    `witness.working_set=${workingSet} witness.dirty_rate=${dirtyRate} witness.tick_ms=${tickMs ?? 5}`,
    ...(disks.length > 0 ? ['witness.journal=/dev/vda'] : []),
  ].join(' ');
  return `-kernel ${IMAGE_FOLDER}/vmlinuz -initrd ${IMAGE_FOLDER}/initrd.img -append "${kernel}"`;
}

/** A MAC address in the range of PVE, from the vmid. */
export function witnessMac(vmid: number): string {
  const low = (vmid & 0xffffff).toString(16).toUpperCase().padStart(6, '0');
  return `BC:24:11:${low.slice(0, 2)}:${low.slice(2, 4)}:${low.slice(4, 6)}`;
}

function witnessUuid(vmid: number): string {
  return `6b656467-6500-4000-8000-${String(vmid).padStart(12, '0')}`;
}
