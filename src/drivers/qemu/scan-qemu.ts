import { readdirSync, readlinkSync } from 'node:fs';
import { readQemuProcess, type QemuProcess } from './qemu-process.js';

/**
 * Finds every QEMU of Kedge on this node by its command line, pid file or not; with `vmid` only those of that guest.
 * Processes of other PID namespaces (a node inside a lab on this host) belong to other nodes and don't count.
 */
export function scanQemu(filter: { readonly vmid?: number } = {}): readonly QemuProcess[] {
  const ours = pidNamespace('self');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readQemuProcess(Number(name)))
    .filter((found) => found !== null)
    .filter((found) => (filter.vmid === undefined || found.vmid === filter.vmid) && pidNamespace(String(found.pid)) === ours);
}

function pidNamespace(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}
