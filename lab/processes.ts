/** Processes as /proc shows them: identity is pid + start time, never the pid alone. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { ProcessIdentity } from './lab-state.js';

/** Reads the identity of a living process; undefined when it is gone or a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command name in parentheses may hold blanks: fields are counted from the last one on, the state being field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTime: Number(fields[19]) };
}

/** Does exactly this process still live? */
export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** Sends `signal` to exactly this process; false when it is gone. */
export function sendSignal(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    return process.kill(target.pid, signal);
  } catch {
    return false;
  }
}

/** Waits until `condition` holds; for kernel facts that have no event to wait for. @throws KedgeError `lab-failed` after `timeoutMs` */
export async function waitUntil(what: string, condition: () => boolean | Promise<boolean>, options: { timeoutMs: number; pauseMs?: number }): Promise<void> {
  const end = performance.now() + options.timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new KedgeError('lab-failed', `Cannot wait any longer: ${what} did not happen within ${options.timeoutMs} ms`);
    await delay(options.pauseMs ?? 10);
  }
}

/** Children of a process, by the kernel's own list. */
export function childrenOf(pid: number): number[] {
  return (readText(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
}

/** Kinds of namespace with their inode names. */
export function namespacesOf(pid: number): Record<string, string> {
  const kinds = ['net', 'mnt', 'uts', 'ipc', 'pid'] as const;
  return Object.fromEntries(kinds.map((kind) => [kind, readLink(`/proc/${pid}/ns/${kind}`) ?? 'gone']));
}

/** One process of a machine: its pid on the host and inside, and its command line. */
export interface InsideProcess extends ProcessIdentity {
  readonly insidePid: number;
  readonly command: readonly string[];
}

/** All processes in the PID namespace of `init`, itself included. */
export function processesInside(init: ProcessIdentity): InsideProcess[] {
  const namespace = readLink(`/proc/${init.pid}/ns/pid`);
  if (namespace === undefined) return [];
  return allPids().flatMap((pid) => {
    if (readLink(`/proc/${pid}/ns/pid`) !== namespace) return [];
    const identity = identify(pid);
    const insidePid = /^NSpid:.*\s(\d+)$/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1];
    if (identity === undefined || insidePid === undefined) return [];
    return [{ ...identity, insidePid: Number(insidePid), command: commandOf(pid) }];
  });
}

/** Processes that carry `NAME=value` in the environment they were started with. */
export function processesWithEnvironment(entry: string): ProcessIdentity[] {
  return allPids().flatMap((pid) => {
    if (pid === process.pid || !(readText(`/proc/${pid}/environ`) ?? '').split('\0').includes(entry)) return [];
    const identity = identify(pid);
    return identity === undefined ? [] : [identity];
  });
}

/** Command line of a process; empty when it is gone or a kernel thread. */
export function commandOf(pid: number): string[] {
  return (readText(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function readLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
