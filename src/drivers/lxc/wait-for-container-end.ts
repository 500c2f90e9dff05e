import { setTimeout as delay } from 'node:timers/promises';
import { containerProcesses } from './container-processes.js';
import type { ContainerRef } from './container-ref.js';
import { runLxc } from './run-lxc.js';

/** What is left to do after LXC said "stopped": the monitor removes groups and devices, then ends itself. */
const CLEANUP_MS = 5_000;
const CLEANUP_POLL_MS = 10;

/**
 * Waits for the end of a container, by LXC's event; a monitor that dies is an event too. Answers true once no process of the
 * container is left, false when `signal` came first or something of it stays.
 * @throws KedgeError `unsupported` when LXC is not installed
 */
export async function waitForContainerEnd(container: ContainerRef, options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
  const { signal } = options;
  const { code } = await runLxc('lxc-wait', container, { args: ['-s', 'STOPPED'], ...(signal === undefined ? {} : { signal }) });
  if (code === null && signal?.aborted === true) return false;
  return processesEnd(container);
}

/** Is the last process of the container seen gone, now or within the moments that LXC needs to clean up? */
export async function processesEnd(container: ContainerRef): Promise<boolean> {
  const deadline = performance.now() + CLEANUP_MS;
  while (containerProcesses(container).length > 0) {
    if (performance.now() >= deadline) return false;
    await delay(CLEANUP_POLL_MS);
  }
  return true;
}
