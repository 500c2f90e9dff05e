/** What a lab is made of right now, for people and for programs that judge from outside. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linksOf, type Link } from './address-plan.js';
import { loopDevices } from './down.js';
import type { LabState, Machine, ProcessIdentity } from './lab-state.js';
import { childrenOf, identify, isAlive, processesInside, type InsideProcess } from './processes.js';

/** One ownership record as its file says, unjudged. */
interface RecordFile {
  readonly file: string;
  readonly content: unknown;
}

/** One guest's QEMU as the process table shows it. */
interface GuestProcess {
  readonly vmid: number;
  readonly process: InsideProcess;
  /** Reachable from the host while the node has power. */
  readonly observerSocket: string;
}

/** One container as the process table shows it: LXC's monitor, and its init when that runs. */
interface ContainerProcess {
  readonly vmid: number;
  readonly monitor: InsideProcess;
  readonly init: ProcessIdentity | null;
}

export interface MachineStatus {
  readonly name: string;
  readonly role: Machine['role'];
  readonly power: 'on' | 'off';
  readonly init: ProcessIdentity | null;
  readonly launcher: ProcessIdentity | null;
  readonly namespaces: Readonly<Record<string, string>>;
  readonly cgroups: readonly string[];
  readonly memoryBytes: number | null;
  readonly cores: number | null;
  readonly links: readonly Link[];
  readonly bootId: string | null;
  /** Folders as reachable from the host; etc, state and run only while the power is on. */
  readonly folders: Readonly<Record<string, string>>;
  readonly loopDevices: readonly string[];
  /** Component → its process; null between a death and the restart. */
  readonly components: Readonly<Record<string, InsideProcess | null>>;
  readonly processes: readonly InsideProcess[];
  readonly records: readonly RecordFile[];
  readonly guests: readonly GuestProcess[];
  readonly containers: readonly ContainerProcess[];
}

export interface LabStatus extends Omit<LabState, 'machines'> {
  readonly machines: readonly MachineStatus[];
}

/** Reads everything from /proc and the machines' own files. */
export async function labStatus(lab: LabState): Promise<LabStatus> {
  return { ...lab, machines: await Promise.all(lab.machines.map(machineStatus)) };
}

/** A path inside a machine as the host reaches it. */
export function insidePath(init: ProcessIdentity, path: string): string {
  return join('/proc', String(init.pid), 'root', path);
}

/** The supervisor's word on its components: name → process, null when it just died. */
export function componentsOf(machine: Machine, processes: readonly InsideProcess[]): Record<string, InsideProcess | null> {
  const folder = machine.init === null ? '' : pidFolder(machine, machine.init);
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder).filter((name) => name.endsWith('.pid'));
  return Object.fromEntries(
    names.map((name) => {
      const pid = Number(readFileSync(join(folder, name), 'utf8'));
      return [name.slice(0, -'.pid'.length), processes.find((process) => process.insidePid === pid) ?? null];
    }),
  );
}

/** Where the supervisor of a machine keeps pid files and clock shifts, as the host reaches it. */
export function pidFolder(machine: Machine, init: ProcessIdentity): string {
  return hasOwnRoot(machine) ? insidePath(init, '/run/kedge/lab') : join(machine.folder, 'run');
}

const hasOwnRoot = (machine: Machine): boolean => machine.role === 'node' || machine.role === 'control';

async function machineStatus(machine: Machine): Promise<MachineStatus> {
  const init = machine.init !== null && isAlive(machine.init) ? machine.init : null;
  const processes = init === null ? [] : processesInside(init);
  const inside: Record<string, string> =
    init === null || !hasOwnRoot(machine)
      ? {}
      : {
          etc: insidePath(init, '/etc/kedge'),
          state: insidePath(init, '/var/lib/kedge'),
          run: insidePath(init, '/run/kedge'),
          shared: insidePath(init, '/mnt/shared'),
        };
  const folders: Record<string, string> = { machine: machine.folder, log: join(machine.folder, 'log'), ...inside };
  return {
    name: machine.name,
    role: machine.role,
    power: init === null ? 'off' : 'on',
    init,
    launcher: machine.launcher !== null && isAlive(machine.launcher) ? machine.launcher : null,
    namespaces: init === null ? {} : machine.namespaces,
    cgroups: machine.cgroups,
    memoryBytes: machine.memoryBytes,
    cores: machine.cores,
    links: linksOf(machine),
    bootId: readTrimmed(inside['run'] === undefined ? '' : join(inside['run'], 'boot-id')),
    folders,
    loopDevices: machine.role === 'node' ? await loopDevices(join(machine.folder, 'disk.img')) : [],
    components: init === null ? {} : componentsOf(machine, processes),
    processes,
    records: recordsIn(inside['state']),
    guests: init === null ? [] : guestsOf(init, processes),
    containers: containersOf(processes),
  };
}

function recordsIn(state: string | undefined): RecordFile[] {
  const folder = join(state ?? '', 'records');
  if (state === undefined || !existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return { file, content: parseOrText(readTrimmed(file) ?? '') };
    });
}

/** Guests are found by their processes, not by files that somebody wrote: a guest's QEMU names its observer socket on its command line. */
export function guestsOf(init: ProcessIdentity, processes: readonly InsideProcess[]): GuestProcess[] {
  return processes.flatMap((process) => {
    const vmid = /\/qemu\/([1-9][0-9]{2,8})\/observer\.qmp/.exec(process.command.join(' '))?.[1];
    if (vmid === undefined) return [];
    return [{ vmid: Number(vmid), process, observerSocket: insidePath(init, `/run/kedge/qemu/${vmid}/observer.qmp`) }];
  });
}

/** A monitor writes its title over its command line; its child in another PID namespace is the container's init. */
export function containersOf(processes: readonly InsideProcess[]): ContainerProcess[] {
  return processes.flatMap((monitor) => {
    const vmid = /^\[lxc monitor\] \/run\/kedge\/lxc ([1-9][0-9]{2,8})$/.exec(monitor.command[0] ?? '')?.[1];
    if (vmid === undefined) return [];
    const init = childrenOf(monitor.pid).flatMap((pid) => identify(pid) ?? [])[0] ?? null;
    return [{ vmid: Number(vmid), monitor, init }];
  });
}

function readTrimmed(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
