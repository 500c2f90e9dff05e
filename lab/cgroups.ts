/**
 * Limits of the lab's machines: cgroup v1 or v2, whichever enforces memory and cpu here.
 *
 * On v1 a lab's groups lie below the group of its builder, so that a lab never escapes limits that hold for the builder.
 * On v2 a group with processes can't hand controllers down, so they lie below the root that the builder sees.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './lab-state.js';
import { identify } from './processes.js';

const ROOT = '/sys/fs/cgroup';
/** Hierarchies needed on v1: limits, and freezer for a power cut that no program sees coming. */
const V1_CONTROLLERS = ['memory', 'cpu', 'freezer'] as const;
const CPU_PERIOD_US = 100_000;

/** Where groups go; `limits` is `v1`, `v2`, or the reason why nothing is limited. */
export interface CgroupLayout {
  readonly limits: string;
  /** Parent folders for groups, one for each hierarchy. */
  readonly parents: readonly string[];
}

/** Finds out what this machine offers. */
export function detectCgroups(): CgroupLayout {
  const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const has = (controller: string): boolean => own.some((line) => line.split(':')[1]?.split(',').includes(controller) && ownFolder(line) !== null);
  // All hierarchies, not only those with limits: LXC puts a container into each, below the group of its node.
  if (V1_CONTROLLERS.every(has)) return { limits: 'v1', parents: own.flatMap((line) => ownFolder(line) ?? []) };
  if (!existsSync(join(ROOT, 'cgroup.controllers'))) return { limits: 'none: no cgroup hierarchy with memory and cpu is mounted', parents: [] };
  try {
    writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+memory +cpu');
  } catch {
    // Groups serve all the same: to find processes, and to freeze them.
    return { limits: 'none: the root cgroup does not hand down memory and cpu', parents: [ROOT] };
  }
  return { limits: 'v2', parents: [ROOT] };
}

/** Folders of one machine's group; the lab's own group is their parent. */
export function cgroupFolders(layout: CgroupLayout, names: { lab: string; machine: string }): string[] {
  return layout.parents.map((parent) => join(parent, labGroup(names.lab), names.machine));
}

/** Makes the group with its limits: memory in bytes, cpu in cores (a fraction makes a slow node). */
export function createCgroup(folders: readonly string[], limits: { memoryBytes: number | null; cores: number | null }): void {
  for (const folder of folders) {
    const parent = join(folder, '..');
    mkdirSync(folder, { recursive: true });
    handDown(parent);
    for (const each of [parent, folder]) inheritCpuset(each);
    if (limits.memoryBytes !== null) {
      writeIfThere(join(folder, 'memory.limit_in_bytes'), String(limits.memoryBytes));
      writeIfThere(join(folder, 'memory.max'), String(limits.memoryBytes));
    }
    if (limits.cores !== null) {
      const quota = Math.round(limits.cores * CPU_PERIOD_US);
      writeIfThere(join(folder, 'cpu.cfs_period_us'), String(CPU_PERIOD_US));
      writeIfThere(join(folder, 'cpu.cfs_quota_us'), String(quota));
      writeIfThere(join(folder, 'cpu.max'), `${quota} ${CPU_PERIOD_US}`);
    }
  }
}

/** Files that a process writes its pid to in order to join. */
export const joinFiles = (folders: readonly string[]): string[] => folders.map((folder) => join(folder, 'cgroup.procs'));

/** Processes of a group and of the groups below it. */
export function cgroupProcesses(folders: readonly string[]): ProcessIdentity[] {
  const pids = new Set(folders.flatMap(readProcs));
  return [...pids].flatMap((pid) => identify(pid) ?? []);
}

/** Stops or thaws a whole group at once. False where the kernel offers no way. */
export function freezeCgroup(folders: readonly string[], frozen: boolean): boolean {
  const v1 = folders.map((folder) => join(folder, 'freezer.state')).find(existsSync);
  if (v1 !== undefined) {
    writeFileSync(v1, frozen ? 'FROZEN' : 'THAWED');
    return true;
  }
  const v2 = folders.map((folder) => join(folder, 'cgroup.freeze')).find(existsSync);
  if (v2 === undefined) return false;
  writeFileSync(v2, frozen ? '1' : '0');
  return true;
}

/** Has the whole group come to a stop? */
export function isFrozen(folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const v1 = join(folder, 'freezer.state');
    if (existsSync(v1)) return readFileSync(v1, 'utf8').trim() === 'FROZEN';
    const v2 = join(folder, 'cgroup.events');
    return existsSync(v2) && /^frozen 1$/m.test(readFileSync(v2, 'utf8'));
  });
}

/** All groups of a lab that exist, whether or not `lab.json` tells of them. */
export function labCgroups(lab: string): string[] {
  return detectCgroups().parents.flatMap((parent) => findGroups(parent, labGroup(lab)));
}

/** Removes empty groups, deepest first; returns those that would not go. */
export function removeCgroups(folders: readonly string[]): string[] {
  return folders.filter(existsSync).flatMap((folder) => {
    const left = removeCgroups(subfolders(folder));
    try {
      rmdirSync(folder);
      return left;
    } catch {
      return existsSync(folder) ? [...left, folder] : left;
    }
  });
}

/** Our own group in one hierarchy, by its line of /proc/self/cgroup; null when that is not mounted. */
function ownFolder(line: string): string | null {
  const [id, controllers = '', ...path] = line.split(':');
  const mount = id === '0' ? 'unified' : controllers.replace(/^name=/, '');
  const folder = join(ROOT, mount, path.join(':'));
  return line !== '' && existsSync(join(folder, 'cgroup.procs')) ? folder : null;
}

/** v1: nobody can join a new group before it has processors and memory nodes. */
function inheritCpuset(folder: string): void {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const file = join(folder, name);
    if (existsSync(file) && readFileSync(file, 'utf8').trim() === '') writeFileSync(file, readFileSync(join(folder, '..', name), 'utf8'));
  }
}

/** v2: limits in a group need controllers from its parent; `detectCgroups` has said so when there are none. */
function handDown(parent: string): void {
  try {
    writeIfThere(join(parent, 'cgroup.subtree_control'), '+memory +cpu');
  } catch {
    // Without limits, then.
  }
}

const labGroup = (lab: string): string => `kedge-lab-${lab}`;

/** A lab may have been built from another group than ours: siblings of our own group are looked at too. */
function findGroups(parent: string, name: string): string[] {
  const sameBuilder = join(parent, name);
  const siblings = existsSync(join(parent, '..', 'cgroup.procs')) ? subfolders(join(parent, '..')).map((sibling) => join(sibling, name)) : [];
  return [...new Set([sameBuilder, ...siblings])].filter(existsSync);
}

function readProcs(folder: string): number[] {
  if (!existsSync(folder)) return [];
  const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  return [...own, ...subfolders(folder).flatMap(readProcs)];
}

const subfolders = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(folder, entry.name))
    : [];

function writeIfThere(file: string, text: string): void {
  if (existsSync(file)) writeFileSync(file, text);
}
