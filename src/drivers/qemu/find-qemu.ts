import { readFileSync } from 'node:fs';
import { readQemuProcess, type QemuProcess } from './qemu-process.js';

/**
 * Finds the QEMU of `vmid` by its pid file; null when it does not run (its process is seen gone, or is a zombie).
 * A stray without this pid file is found by `scanQemu` only.
 */
export function findQemu(guest: { readonly vmid: number; readonly pidFile: string }): QemuProcess | null {
  const pid = readPid(guest.pidFile);
  const found = pid === null ? null : readQemuProcess(pid);
  return found !== null && found.vmid === guest.vmid && found.pidFile === guest.pidFile ? found : null;
}

function readPid(pidFile: string): number | null {
  let text: string;
  try {
    text = readFileSync(pidFile, 'utf8');
  } catch {
    return null;
  }
  const pid = Number(text.trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
}
