import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Identity of a process that survives the reuse of its pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start of the process in clock ticks since the boot: /proc/<pid>/stat, field 22. */
  readonly startTime: number;
}

/** A QEMU process of Kedge, as its command line tells. */
export interface QemuProcess extends ProcessIdentity {
  readonly vmid: number;
  /** It was started to receive a migration. */
  readonly incoming: boolean;
  /** The file that it wrote its pid to; tells guests of the same vmid in other run folders apart. */
  readonly pidFile: string | null;
  readonly command: readonly string[];
}

/** Reads process `pid`; null when it is gone (a zombie is), or is not a QEMU that Kedge started. */
export function readQemuProcess(pid: number): QemuProcess | null {
  const before = readStartTime(pid);
  const command = readCommand(pid);
  // Read again: the pid may have passed to another process between the two files.
  if (before === null || command === null || readStartTime(pid) !== before) return null;
  if (!/^(?:qemu.*|kvm)$/.test(basename(command[0] ?? ''))) return null;
  const vmid = /^([1-9][0-9]{2,8})-/.exec(argumentOf(command, '-name') ?? '')?.[1];
  if (vmid === undefined) return null;
  return {
    pid,
    startTime: before,
    vmid: Number(vmid),
    incoming: command.includes('-incoming'),
    pidFile: argumentOf(command, '-pidfile'),
    command,
  };
}

/** Does exactly this process still exist? A zombie does not: it holds no memory, file or lock any more. */
export function isAlive(identity: ProcessIdentity): boolean {
  return readStartTime(identity.pid) === identity.startTime;
}

/** The start time of `pid`, null when there is none or it is a zombie. Source: proc(5), the name may hold spaces and brackets. */
export function readStartTime(pid: number): number | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  // `rest` begins with field 4; the start time is field 22.
  return Number(rest[18]);
}

function readCommand(pid: number): readonly string[] | null {
  const text = readOrNull(`/proc/${pid}/cmdline`);
  return text === null || text === '' ? null : text.replace(/\0$/, '').split('\0');
}

function argumentOf(command: readonly string[], option: string): string | null {
  const index = command.indexOf(option);
  return index === -1 ? null : (command[index + 1] ?? null);
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
