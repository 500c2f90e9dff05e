import { cpSync, existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { insidePath, labStatus } from '../../lab/status.js';
import type { RoundResult } from '../judge/round-result.js';
import type { ChaosLab } from './chaos-lab.js';

/** Copies the logs of all machines, the state of the lab and the result of a round into a folder, which is made anew. */
export async function keepLogs(lab: ChaosLab, { folder, result }: { readonly folder: string; readonly result: RoundResult }): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, folder: home, init } of lab.state.machines) {
    cpSync(join(home, 'log'), join(folder, name), { recursive: true });
    // What QEMU and LXC wrote of each guest, and what containers wrote to their consoles.
    if (init === null) continue;
    for (const kind of ['qemu', 'lxc']) {
      const guests = insidePath(init, `/run/kedge/${kind}`);
      if (existsSync(guests)) cpSync(guests, join(folder, name, kind), { recursive: true, filter: isPlain });
    }
  }
  writeFileSync(join(folder, 'result.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(join(folder, 'lab.json'), `${JSON.stringify(await labStatus(lab.state), undefined, 2)}\n`);
}

/** Sockets can't be copied. */
function isPlain(file: string): boolean {
  const found = lstatSync(file);
  return found.isFile() || found.isDirectory();
}
