import { readFile, rename } from 'node:fs/promises';
import { containerFiles, type ContainerRef } from './container-ref.js';

/**
 * How the newest run of a container that is gone has ended, as its monitor saw it.
 *
 * - `shut-down`: by itself: its init ended well, or switched the power off
 * - `failed`: its init was killed or ended with an error
 * - `unknown`: nobody saw it (the monitor was killed), or the ending was asked for
 */
export type ContainerEnding = 'shut-down' | 'failed' | 'unknown';

/** Reads the end of LXC's log. LXC has no other memory of how a container ended. */
export async function readContainerEnding(container: ContainerRef): Promise<ContainerEnding> {
  const log = await readFile(containerFiles(container).log, 'utf8').catch(() => '');
  // A container that reboots is started again by the same monitor: what comes after the last start counts.
  const run = log.slice(log.lastIndexOf(' - Started "'));
  const ended = run.search(/ - Container init process \d+ exited$/m);
  if (!run.startsWith(' - Started "') || ended === -1) return 'unknown';
  const ending = run.slice(ended);
  if (/is rebooting$/m.test(ending)) return 'unknown';
  if (/is halting$/m.test(ending)) return 'shut-down';
  return /Child <\d+> ended on (?:signal|error)/.test(ending) ? 'failed' : 'shut-down';
}

/** Before an ending is asked for: what the monitor then writes is not taken for the container's own will. */
export async function forgetEnding(container: ContainerRef): Promise<void> {
  const { log, previousLog } = containerFiles(container);
  await rename(log, previousLog).catch(() => undefined);
}
