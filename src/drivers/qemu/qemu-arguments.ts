/**
 * From a guest's config to QEMU's command line, without I/O: the same input gives the same machine on every node.
 *
 * Ids and PCI addresses are fixed by the key of a device, never by its place in a list: a migration target must have the
 * same devices at the same places. The map, on the root bus of both machine families:
 * 02 vga, 03 balloon, 05 scsi controller, 08 guest agent, 0a-0f virtio0-5, 12-17 net0-5, 18-1d a controller per scsi0-5.
 */
import { KedgeError } from '../../domain/kedge-error.js';
import { unsupportedSettings } from '../../schema/guest-config-unsupported.js';
import type { GuestConfig } from '../../schema/guest-config.js';
import type { Accelerator } from './accelerator.js';
import { cpuArgument } from './cpu-argument.js';
import { diskArguments, type ResolvedVolume } from './disk-arguments.js';
import { guestUuid } from './guest-uuid.js';
import { runFiles, serialFiles } from './run-files.js';
import { splitWords } from './split-words.js';

export interface QemuArgumentsInput {
  readonly vmid: number;
  readonly config: GuestConfig;
  /** The run folder of the guest: sockets, pid file, serial logs. */
  readonly folder: string;
  /** File and format of each disk, by config key (`virtio0`). */
  readonly volumes: ReadonlyMap<string, ResolvedVolume>;
  /** Versioned, from `resolveMachineType`. */
  readonly machineType: string;
  readonly accelerator: Accelerator;
  /** Started as the target of a migration: it waits for `migrate-incoming`. */
  readonly incoming: boolean;
}

/**
 * The arguments of QEMU for a guest. They always hold `-S`: nothing runs before somebody with a record sends `cont`.
 * @throws KedgeError `unsupported` names every setting that would have to be left out
 */
export function qemuArguments(input: QemuArgumentsInput): readonly string[] {
  const { vmid, config, machineType } = input;
  const unsupported = unsupportedSettings(config);
  if (unsupported.length > 0) {
    throw new KedgeError('unsupported', `Cannot start guest ${vmid}: its config has settings that Kedge does not support: ${unsupported.join(', ')}`, {
      details: { vmid, unsupported },
    });
  }
  const bus = machineType.includes('q35') ? 'pcie.0' : 'pci.0';
  return [
    ...processArguments(input),
    ...machineArguments(input),
    ...consoleArguments(input, bus),
    ...diskArguments({ config, volumes: input.volumes, bus, bootIndexOf: bootIndexes(config) }),
    ...netArguments({ vmid, config, bus }),
    ...splitWords(config.args),
    ...(input.incoming ? ['-incoming', 'defer'] : []),
  ];
}

/** The tap device of card `index` of a guest, as in PVE; at most 15 characters. */
export function tapName(vmid: number, index: number): string {
  return `tap${vmid}i${index}`;
}

function processArguments({ vmid, config, folder }: QemuArgumentsInput): string[] {
  const files = runFiles(folder);
  return [
    // The vmid in front marks the process for `scanQemu`.
    '-name',
    `${vmid}-${config.name ?? `vm${vmid}`},debug-threads=on`,
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-vga',
    'none',
    '-S',
    '-qmp',
    `unix:${escapeCommas(files.controlSocket)},server=on,wait=off`,
    '-qmp',
    `unix:${escapeCommas(files.observerSocket)},server=on,wait=off`,
    '-pidfile',
    files.pidFile,
  ];
}

function machineArguments({ vmid, config, machineType, accelerator }: QemuArgumentsInput): string[] {
  const uuid = guestUuid(config, vmid);
  const used = config.kvm ? accelerator : 'tcg';
  const cpus = config.cores * config.sockets;
  const smbios = [...config.smbios].filter(([key]) => key !== 'uuid' && key !== 'base64').map(([key, value]) => `,${key}=${smbiosText(config, value)}`);
  return [
    '-machine',
    `${machineType},acpi=${config.acpi ? 'on' : 'off'}`,
    '-accel',
    used === 'kvm' ? 'kvm' : 'tcg,thread=multi',
    '-cpu',
    cpuArgument(config, used),
    '-uuid',
    uuid,
    '-smbios',
    `type=1,uuid=${uuid}${smbios.join('')}`,
    '-m',
    memorySize(config.memoryMiB, used),
    '-smp',
    `${cpus},sockets=${config.sockets},cores=${config.cores},threads=1,maxcpus=${cpus}`,
    ...(config.vmgenid === null || config.vmgenid === '0' ? [] : ['-device', `vmgenid,guid=${config.vmgenid},id=vmgenid`]),
  ];
}

/**
 * Under TCG 8 KiB less than asked for. QEMU before 9.0 loses writes of a TCG guest in a live migration when the size of its RAM is
 * a multiple of 64 pages: the fast path of cpu_physical_memory_sync_dirty_bitmap() clears dirty bits without telling the vCPU's
 * TLB, so that later writes go unseen (upstream: "physmem: Fix migration dirty bitmap coherency with TCG memory access"). Any other
 * size takes the slow path, which is right. Seen with 7.2.22: 512M loses pages in about every migration, 524280K in none.
 */
function memorySize(memoryMiB: number, accelerator: Accelerator): string {
  return accelerator === 'tcg' ? `${memoryMiB * 1_024 - 8}K` : String(memoryMiB);
}

function consoleArguments({ config, folder }: QemuArgumentsInput, bus: string): string[] {
  const vga = config.vga === 'std' ? ['-device', `VGA,id=vga,bus=${bus},addr=0x2`] : [];
  const balloon = config.balloonMiB === 0 ? [] : ['-device', `virtio-balloon-pci,id=balloon0,bus=${bus},addr=0x3`];
  const serials = config.serials.flatMap(({ index }) => {
    const { socket, log } = serialFiles(folder, index);
    return [
      '-chardev',
      `socket,id=serial${index},path=${escapeCommas(socket)},server=on,wait=off,logfile=${escapeCommas(log)},logappend=on`,
      '-device',
      `isa-serial,chardev=serial${index},index=${index},id=serialport${index}`,
    ];
  });
  const agent = [
    '-chardev',
    `socket,id=qga0,path=${escapeCommas(runFiles(folder).agentSocket)},server=on,wait=off`,
    '-device',
    `virtio-serial-pci,id=qga0,bus=${bus},addr=0x8`,
    '-device',
    'virtserialport,chardev=qga0,name=org.qemu.guest_agent.0',
  ];
  return [...vga, ...balloon, ...serials, ...(config.agent ? agent : [])];
}

function netArguments({ vmid, config, bus }: { vmid: number; config: GuestConfig; bus: string }): string[] {
  const bootIndexOf = bootIndexes(config);
  return config.nets.flatMap(({ key, index, mac }) => [
    '-netdev',
    `tap,id=${key},ifname=${tapName(vmid, index)},script=no,downscript=no`,
    '-device',
    `virtio-net-pci,mac=${mac},netdev=${key},id=${key},bus=${bus},addr=${hex(0x12 + index)},romfile=${bootIndexOf(key)}`,
  ]);
}

/** Answers `,bootindex=N` for a device of the boot order; without an order the first disk boots. */
function bootIndexes(config: GuestConfig): (key: string) => string {
  const first = config.drives[0];
  const order = config.bootOrder ?? (first === undefined ? [] : [first.key]);
  return (key) => (order.includes(key) ? `,bootindex=${100 + order.indexOf(key)}` : '');
}

function smbiosText(config: GuestConfig, value: string): string {
  const text = config.smbios.get('base64') === '1' ? Buffer.from(value, 'base64').toString('utf8') : value;
  return escapeCommas(text);
}

/** A comma inside a value of QEMU's options is written twice. */
function escapeCommas(text: string): string {
  return text.replaceAll(',', ',,');
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
