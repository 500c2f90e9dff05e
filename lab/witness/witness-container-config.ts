import { witnessAddress, witnessMac } from './witness-guest-config.js';

/** Where a container's witness keeps its journal, relative to its root. */
export const JOURNAL_FILE = 'var/journal';
/** Half an hour of records before the ring begins anew. */
const JOURNAL_BYTES = 16 << 20;

export interface WitnessContainer {
  readonly vmid: number;
  readonly name: string;
  readonly memoryMiB: number;
  readonly unprivileged: boolean;
  /** Storage of the root file system, e.g. `local`. */
  readonly storage: string;
  readonly tickMs: number;
  /** Number of small files beside the witness; 0: none, and no special ones. */
  readonly files: number;
  /** Mount points (`mp0` …) beside the root file system, each with its share of the files. */
  readonly mountPoints: number;
  /** Started when its node is; default: not. */
  readonly onboot?: boolean;
}

/** The config of a witness container in PVE's grammar; its volumes are folders with PVE's names. */
export function witnessContainerConfig(container: WitnessContainer): string {
  const { vmid, name, memoryMiB, unprivileged, mountPoints } = container;
  const lines = [
    'arch: amd64',
    'cores: 1',
    `hostname: ${name}`,
    `memory: ${memoryMiB}`,
    ...Array.from({ length: mountPoints }, (_, index) => `mp${index}: ${witnessVolume(container, index + 1)},mp=/mnt/mp${index},size=0`),
    `net0: name=eth0,bridge=vmbr0,gw=10.90.2.1,hwaddr=${witnessMac(vmid)},ip=${witnessAddress(vmid)}/23,type=veth`,
    ...(container.onboot === true ? ['onboot: 1'] : []),
    'ostype: unmanaged',
    `rootfs: ${witnessVolume(container, 0)},size=0`,
    'swap: 0',
    ...(unprivileged ? ['unprivileged: 1'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Volume id of the root file system (0) or a mount point. */
export function witnessVolume({ storage, vmid }: Pick<WitnessContainer, 'storage' | 'vmid'>, disk: number): string {
  return `${storage}:${vmid}/subvol-${vmid}-disk-${disk}.subvol`;
}

/** What the witness of a container is started with. */
export function witnessContainerArguments({ vmid, tickMs }: Pick<WitnessContainer, 'vmid' | 'tickMs'>): string {
  return [
    'witness.container=1',
    `witness.vmid=${vmid}`,
    `witness.tick_ms=${tickMs}`,
    // Its memory is not kept by a restart: nothing to check.
    'witness.working_set=0',
    `witness.journal=/${JOURNAL_FILE}`,
    `witness.journal_size=${JOURNAL_BYTES}`,
  ].join(' ');
}
