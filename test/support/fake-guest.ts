import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlSocketFile, guestRunFolder } from '../../src/config/paths.js';
import type { Vmid } from '../../src/domain/ids.js';
import { startFakeQmp, type FakeQmp } from '../../src/drivers/qmp/fake.js';
import type { NodeContext } from '../../worker/node/node-context.js';

/** A process that a node takes for the QEMU of its guest, with a monitor that answers for it. */
export interface FakeGuest {
  readonly qmp: FakeQmp;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

/** Starts it; `auto`: its monitor says that the guest runs, `step`: the test answers. */
export async function startFakeGuest(node: NodeContext, vmid: Vmid, mode: 'auto' | 'step' = 'auto'): Promise<FakeGuest> {
  const folder = guestRunFolder(node.paths, vmid);
  mkdirSync(folder, { recursive: true });
  const pidFile = join(folder, 'pid');
  // Its command line says that it is a QEMU of this guest.
  const words = ['-e', 'setInterval(() => undefined, 1_000)', '--', '-name', `${vmid}-test`, '-pidfile', pidFile];
  const process = spawn(globalThis.process.execPath, words, { argv0: 'qemu-fake', stdio: 'ignore' });
  await once(process, 'spawn');
  writeFileSync(pidFile, String(process.pid));
  const answers = { 'query-status': () => ({ status: 'running', running: true }) };
  const qmp = await startFakeQmp({ socketPath: controlSocketFile(node.paths, vmid), mode, answers });
  return {
    qmp,
    kill: async () => {
      const gone = once(process, 'exit');
      process.kill('SIGKILL');
      await gone;
      await qmp.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
