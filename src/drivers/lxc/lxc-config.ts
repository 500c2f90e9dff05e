import { KedgeError } from '../../domain/kedge-error.js';
import { cgroupNames, isUnified } from './container-cgroups.js';
import { containerFiles } from './container-ref.js';
import type { ContainerMount, ContainerStart } from './container-start.js';
import { netLines } from './lxc-net-lines.js';

const INCLUDES = '/usr/share/lxc/config';
/** Length of the scheduler's period; the limit is a share of it. Source: kernel, sched-bwc. */
const CPU_PERIOD_US = 100_000;

/**
 * The config that LXC starts this container from. Devices, capabilities, system calls and mounts of the kernel's file systems are
 * LXC's own defaults for distributions (`common.conf`, `userns.conf`), as in PVE.
 * @throws KedgeError `bad-input` for a value that would begin another line
 */
export function lxcConfig(start: ContainerStart, options: { readonly lxcPath: string; readonly unified?: boolean }): string {
  const container = { lxcPath: options.lxcPath, vmid: start.vmid };
  const groups = cgroupNames(container);
  const lines = [
    `lxc.include = ${INCLUDES}/common.conf`,
    ...(start.idmap.length === 0 ? [] : [`lxc.include = ${INCLUDES}/userns.conf`]),
    `lxc.uts.name = ${start.hostname}`,
    `lxc.arch = ${start.arch}`,
    `lxc.rootfs.path = dir:${start.rootfs}`,
    ...start.idmap.map(({ type, inside, outside, count }) => `lxc.idmap = ${type} ${inside} ${outside} ${count}`),
    ...start.mounts.map(mountLine),
    ...(start.features.fuse ? ['lxc.mount.entry = /dev/fuse dev/fuse none bind,create=file 0 0'] : []),
    'lxc.apparmor.profile = generated',
    `lxc.apparmor.allow_nesting = ${start.features.nesting ? 1 : 0}`,
    `lxc.console.logfile = ${containerFiles(container).console}`,
    'lxc.cgroup.relative = 0',
    `lxc.cgroup.dir.container = ${groups.payload}`,
    `lxc.cgroup.dir.container.inner = ns`,
    `lxc.cgroup.dir.monitor = ${groups.monitor}`,
    ...limitLines(start, options.unified ?? isUnified()),
    ...start.nets.flatMap((net) => netLines(start.vmid, net)),
    ...start.raw,
  ];
  for (const line of lines) refuseLineBreak(start.vmid, line);
  return `${lines.join('\n')}\n`;
}

/** PVE mounts below the rootfs from the node; LXC does it in the container's own mount namespace, and it ends with that. */
function mountLine({ source, target, readonly }: ContainerMount): string {
  const options = ['bind', 'create=dir', ...(readonly ? ['ro'] : [])].join(',');
  return `lxc.mount.entry = ${fstabWord(source)} ${fstabWord(target.replace(/^\/+/, ''))} none ${options} 0 0`;
}

/** Source: fstab(5), getmntent(3). */
function fstabWord(text: string): string {
  return text.replace(/[\s\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function limitLines({ memory, cpu }: ContainerStart, unified: boolean): readonly string[] {
  const lines: string[] = [];
  const set = (names: { v1: string; v2: string }, value: string | number): void => {
    lines.push(unified ? `lxc.cgroup2.${names.v2} = ${value}` : `lxc.cgroup.${names.v1} = ${value}`);
  };
  if (memory.limitBytes !== null) set({ v1: 'memory.limit_in_bytes', v2: 'memory.max' }, memory.limitBytes);
  // Version 1 counts swap together with memory, and only where the kernel accounts for swap at all; version 2 counts it alone.
  if (unified && memory.swapBytes !== null) set({ v1: '', v2: 'memory.swap.max' }, memory.swapBytes);
  if (cpu.limit !== null) {
    const quota = Math.round(cpu.limit * CPU_PERIOD_US);
    if (!unified) set({ v1: 'cpu.cfs_period_us', v2: '' }, CPU_PERIOD_US);
    set({ v1: 'cpu.cfs_quota_us', v2: 'cpu.max' }, unified ? `${quota} ${CPU_PERIOD_US}` : quota);
  }
  if (cpu.units !== null) set({ v1: 'cpu.shares', v2: 'cpu.weight' }, unified ? weightOf(cpu.units) : cpu.units);
  return lines;
}

/** The kernel's own conversion of shares (2 to 262144) to weight (1 to 10000). */
function weightOf(shares: number): number {
  return Math.max(1, Math.min(10_000, Math.round(1 + ((shares - 2) * 9_999) / 262_142)));
}

function refuseLineBreak(vmid: number, line: string): void {
  if (/[\n\r\0]/.test(line)) throw new KedgeError('bad-input', `Cannot start container ${vmid}: "${line.slice(0, 80)}" holds a line break, remove it`);
}
