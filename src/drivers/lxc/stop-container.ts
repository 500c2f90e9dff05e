import { KedgeError } from '../../domain/kedge-error.js';
import { removeTraces } from './remove-traces.js';
import { containerProcesses } from './container-processes.js';
import { forgetEnding } from './container-ending.js';
import type { ContainerRef } from './container-ref.js';
import { runLxc } from './run-lxc.js';
import { processesEnd } from './wait-for-container-end.js';

/** Of `lxc-stop`: the container still runs after the time; it does not run. */
const STILL_RUNNING = 1;
const NOT_RUNNING = 2;

/**
 * Asks a container's init to shut down (SIGPWR, or what `lxc.signal.halt` says) and waits. Answers `stopped` once no process of it is
 * left and its network devices are gone, `late` when it still runs after `timeoutMs` or when `signal` comes: it is never killed here. A container that is
 * off is fine.
 * @throws KedgeError `outcome-unknown` when LXC says "stopped" and processes stay, `internal` for another failure of LXC
 */
export async function stopContainer(
  container: ContainerRef,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<'stopped' | 'late'> {
  if (containerProcesses(container).length > 0) {
    await forgetEnding(container);
    // Whole seconds are all that LXC knows; 0 would be "don't wait".
    const seconds = Math.max(1, Math.ceil(options.timeoutMs / 1_000));
    const { signal } = options;
    const args = ['--nokill', '-t', String(seconds)];
    const { code, stderr } = await runLxc('lxc-stop', container, { args, ...(signal === undefined ? {} : { signal }) });
    if (code === STILL_RUNNING || (code === null && signal?.aborted === true)) return 'late';
    if (code !== 0 && code !== NOT_RUNNING)
      throw new KedgeError('internal', `Cannot stop container ${container.vmid}: lxc-stop ended with ${String(code)}, ${stderr.trim()}`);
    if (!(await processesEnd(container))) {
      throw new KedgeError('outcome-unknown', `Cannot stop container ${container.vmid}: LXC says it is off, and processes of it are there`, {
        details: {
          pids: containerProcesses(container)
            .map(({ pid }) => pid)
            .join(', '),
        },
      });
    }
  }
  await removeTraces(container);
  return 'stopped';
}
