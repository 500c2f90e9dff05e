import { readFile } from 'node:fs/promises';

/** Memory of a QEMU process that is really there: what the guest has touched, and some of QEMU's own. Null when it can't be read. */
export async function readTouchedBytes(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? null : Number(kib) * 1_024;
}
