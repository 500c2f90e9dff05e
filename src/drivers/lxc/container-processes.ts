import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { readStartTime, type ProcessIdentity } from '../host/process-identity.js';
import { payloadPids } from './container-cgroups.js';
import type { ContainerRef } from './container-ref.js';

/**
 * Every process that is, holds or is about to become this container: init and the others in its groups, its monitor, and an
 * `lxc-start` of it that a dead worker left behind and that may still bring it up. Zombies are not: they hold nothing any more.
 * Looks at all processes of the node: a millisecond or more, for decisions.
 */
export function containerProcesses(container: ContainerRef): readonly ProcessIdentity[] {
  const pids = new Set(payloadPids(container));
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name) && isManager(name, container)) pids.add(Number(name));
  }
  return [...pids].flatMap((pid) => {
    const startTime = readStartTime(pid);
    return startTime === null ? [] : [{ pid, startTime }];
  });
}

/** The monitor writes its title over its command line, with spaces; `lxc-start` has its arguments (run-lxc.ts). */
function isManager(pid: string, { lxcPath, vmid }: ContainerRef): boolean {
  const command = readOrEmpty(`/proc/${pid}/cmdline`).replace(/\0+$/, '');
  if (command === `[lxc monitor] ${lxcPath} ${vmid}`) return true;
  const words = command.split('\0');
  return basename(words[0] ?? '') === 'lxc-start' && words[2] === lxcPath && words[4] === String(vmid);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
