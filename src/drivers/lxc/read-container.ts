import { existsSync } from 'node:fs';
import { readStartTime, type ProcessIdentity } from '../host/process-identity.js';
import { payloadPids } from './container-cgroups.js';
import { containerProcesses } from './container-processes.js';
import { containerFiles, type ContainerRef } from './container-ref.js';
import { runLxc } from './run-lxc.js';

/**
 * What a container does, by three witnesses that must agree: LXC's monitor, the processes in its groups, and its init.
 *
 * - `gone`: nothing of it is there: no process in its groups, no monitor, nobody who is starting it
 * - `unreachable`: they disagree, e.g. while it starts or stops, or because its monitor was killed: proves nothing, look again
 */
export type ContainerReading =
  | { readonly state: 'gone' }
  | { readonly state: 'running' | 'frozen'; readonly init: ProcessIdentity }
  | { readonly state: 'unreachable'; readonly reason: string };

/** Looks at a container. @throws KedgeError `unsupported` when LXC is not installed */
export async function readContainer(container: ContainerRef): Promise<ContainerReading> {
  const before = containerProcesses(container);
  if (before.length === 0) return { state: 'gone' };
  const { state, pid } = await askMonitor(container);
  const startTime = pid === null ? null : readStartTime(pid);
  if ((state === 'RUNNING' || state === 'FROZEN') && pid !== null && startTime !== null && payloadPids(container).includes(pid)) {
    return { state: state === 'RUNNING' ? 'running' : 'frozen', init: { pid, startTime } };
  }
  const after = containerProcesses(container);
  if (after.length === 0) return { state: 'gone' };
  return { state: 'unreachable', reason: `LXC says ${state}, and ${after.map((process) => process.pid).join(', ')} are processes of it` };
}

/** A monitor answers within milliseconds; one that is stopped never does. */
const ANSWER_TIMEOUT_MS = 5_000;

async function askMonitor(container: ContainerRef): Promise<{ state: string; pid: number | null }> {
  // Without its config LXC knows no container, whatever runs.
  if (!existsSync(containerFiles(container).config)) return { state: 'nothing without a config', pid: null };
  const { code, stdout, stderr } = await runLxc('lxc-info', container, { args: ['-s', '-p'], signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  if (code !== 0) return { state: `nothing (${stderr.trim() || 'no answer'})`, pid: null };
  const pid = /^PID: +(\d+)$/m.exec(stdout)?.[1];
  return { state: /^State: +([A-Z]+)$/m.exec(stdout)?.[1] ?? 'nothing', pid: pid === undefined ? null : Number(pid) };
}
