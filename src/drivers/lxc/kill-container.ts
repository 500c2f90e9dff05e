import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import { containerProcesses } from './container-processes.js';
import { forgetEnding } from './container-ending.js';
import type { ContainerRef } from './container-ref.js';
import { removeTraces } from './remove-traces.js';
import { runLxc } from './run-lxc.js';

/** A monitor kills within milliseconds; one that hangs is killed itself. */
const KILL_TIMEOUT_MS = 5_000;
const POLL_MS = 10;

/**
 * Ends a container at once, without a word to its init: for an operator who asked for it, and for a node that may not run it.
 * Returns once no process of it is left, that of a half-done start included, and its network devices are gone. One that is off is fine.
 * @throws KedgeError `outcome-unknown` when a process stays even after SIGKILL
 */
export async function killContainer(container: ContainerRef): Promise<void> {
  if (containerProcesses(container).length > 0) {
    await forgetEnding(container);
    await runLxc('lxc-stop', container, { args: ['-k'], signal: AbortSignal.timeout(KILL_TIMEOUT_MS) });
    const left = await killAll(container);
    if (left.length > 0) {
      throw new KedgeError('outcome-unknown', `Cannot end container ${container.vmid}: processes ${left.join(', ')} are still there after SIGKILL`);
    }
  }
  await removeTraces(container);
}

/** For what LXC does not know of any more: a start under way, a container whose monitor is gone or hangs. Again and again, for what they fork. */
async function killAll(container: ContainerRef): Promise<readonly number[]> {
  const deadline = performance.now() + KILL_TIMEOUT_MS;
  for (;;) {
    const pids = containerProcesses(container).map(({ pid }) => pid);
    if (pids.length === 0 || performance.now() >= deadline) return pids;
    for (const pid of pids) signalQuietly(pid);
    await delay(POLL_MS);
  }
}

function signalQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}
