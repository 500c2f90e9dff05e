import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { readStartTime, type ProcessIdentity } from '../host/process-identity.js';

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
