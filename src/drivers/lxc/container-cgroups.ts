import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerRef } from './container-ref.js';

const ROOT = '/sys/fs/cgroup';

/** Names of a container's groups below the groups of the node's init. */
export interface CgroupNames {
  readonly payload: string;
  readonly monitor: string;
}

/**
 * The groups that a container's config asks for. Fixed names, unlike LXC's own: with those, LXC evades a group that is left over by a
 * suffix, and nobody knows any more where the container's processes are. With these, a left-over group refuses the second start.
 * The folder of containers is in the name, so that two nodes on one kernel (tests) don't share groups.
 */
export function cgroupNames({ lxcPath, vmid }: ContainerRef): CgroupNames {
  const name = `${lxcPath.replace(/^\/+/, '').replaceAll('/', '-')}.${vmid}`;
  return { payload: `lxc.payload.${name}`, monitor: `lxc.monitor.${name}` };
}

/** All processes in the container's own groups, in any hierarchy: init, what it started, what was attached. Monitors are not. */
export function payloadPids(container: ContainerRef): readonly number[] {
  return [...new Set(foldersOf(cgroupNames(container).payload).flatMap(pidsBelow))];
}

/** Processor time that the container has had so far; null when it has no group, or none that counts. A restart begins anew. */
export function payloadCpuSeconds(container: ContainerRef): number | null {
  for (const folder of foldersOf(cgroupNames(container).payload)) {
    const micros = /^usage_usec (\d+)$/m.exec(readOrEmpty(join(folder, 'cpu.stat')))?.[1];
    if (micros !== undefined) return Number(micros) / 1e6;
    const nanos = readOrEmpty(join(folder, 'cpuacct.usage')).trim();
    if (nanos !== '') return Number(nanos) / 1e9;
  }
  return null;
}

/** Removes groups of a container that no process is in: LXC leaves them when its monitor was killed, and then refuses to start. */
export function removeEmptyCgroups(container: ContainerRef): void {
  const names = cgroupNames(container);
  for (const folder of [...foldersOf(names.payload), ...foldersOf(names.monitor)]) removeBelow(folder);
}

/** Is version 2 the only one here? On a mixed system version 1 has the controllers. */
export function isUnified(): boolean {
  return existsSync(join(ROOT, 'cgroup.controllers'));
}

/** Where LXC makes a group: below the one of process 1 in each hierarchy. Source: cgroups(7), LXC's cgfsng.c. */
function foldersOf(name: string): readonly string[] {
  return readFileSync('/proc/1/cgroup', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [id, controllers, ...path] = line.split(':');
      if (id === undefined || controllers === undefined) return [];
      const mount = controllers !== '' ? join(ROOT, controllers.replace(/^name=/, '')) : isUnified() ? ROOT : join(ROOT, 'unified');
      const folder = join(mount, path.join(':').replace(/\/init\.scope$/, ''), name);
      return existsSync(folder) ? [folder] : [];
    });
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function pidsBelow(folder: string): readonly number[] {
  try {
    const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
    return [...own, ...subfolders(folder).flatMap(pidsBelow)];
  } catch {
    // Removed while we looked.
    return [];
  }
}

function removeBelow(folder: string): void {
  try {
    for (const subfolder of subfolders(folder)) removeBelow(subfolder);
    rmdirSync(folder);
  } catch {
    // In use, or gone already: the start that follows says which.
  }
}

function subfolders(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}
