import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import type { ProcessIdentity } from '../host/process-identity.js';
import { forgetEnding } from './container-ending.js';
import { containerProcesses } from './container-processes.js';
import { containerFiles, type ContainerFiles, type ContainerRef } from './container-ref.js';
import type { ContainerStart } from './container-start.js';
import { killContainer } from './kill-container.js';
import { lxcConfig } from './lxc-config.js';
import { readContainer } from './read-container.js';
import { removeTraces } from './remove-traces.js';
import { runLxc } from './run-lxc.js';
import { processesEnd } from './wait-for-container-end.js';

/**
 * Starts a container under LXC's own monitor, which is no child of ours: it lives on when this process ends. Returns the identity of
 * its init once that runs. The caller decides that it may run here, and that nobody else starts or ends it meanwhile. A start that
 * failed has left nothing when this ends: LXC tells of the failure before its monitor has cleared up.
 * @throws KedgeError `guest-state` when a process of it is there already, `lxc-start-failed` with LXC's reason, `outcome-unknown` when
 *   what a failed start left cannot be ended, `unsupported` without LXC
 */
export async function startContainer(start: ContainerStart, options: { readonly lxcPath: string }): Promise<ProcessIdentity> {
  const container: ContainerRef = { lxcPath: options.lxcPath, vmid: start.vmid };
  const present = containerProcesses(container);
  if (present.length > 0) {
    throw new KedgeError('guest-state', `Cannot start container ${start.vmid}: processes ${present.map(({ pid }) => pid).join(', ')} of it are there already`);
  }
  await removeTraces(container);
  const files = containerFiles(container);
  await prepareFiles(files, lxcConfig(start, options));
  const { code, stderr } = await runLxc('lxc-start', container, { args: ['-l', 'DEBUG', '-o', files.log] });
  let reason = stderr;
  if (code === 0) {
    const reading = await readContainer(container);
    if (reading.state === 'running') return reading.init;
    reason = reading.state === 'unreachable' ? reading.reason : `it is ${reading.state} at once`;
  }
  if (!(await processesEnd(container))) await killContainer(container);
  // It never ran: how it ended is no word of the container, which is wanted running all the same.
  await forgetEnding(container);
  throw await startError(start.vmid, { ...files, log: files.previousLog }, reason);
}

async function prepareFiles(files: ContainerFiles, config: string): Promise<void> {
  await mkdir(files.folder, { recursive: true, mode: 0o755 });
  await rename(files.console, files.previousConsole).catch(() => undefined);
  await rm(files.log, { force: true });
  await writeFile(files.config, config, { mode: 0o600 });
}

/**
 * LXC's message on stderr only says that it failed; the log says why, and the console what an init said that ended at once, whether LXC saw it run
 * or not. To be called when the monitor has ended, which writes the console.
 */
async function startError(vmid: number, files: ContainerFiles, stderr: string): Promise<KedgeError> {
  const log = await readFile(files.log, 'utf8').catch(() => '');
  const reasons = log.split('\n').flatMap((line) => / ERROR {4}.* - (?:\S+:\d+ - )?(.*)$/.exec(line)?.[1] ?? []);
  const reason = reasons[0] ?? (stderr.trim() || 'LXC gives no reason');
  const said = await lastLines(files.console);
  return new KedgeError(
    'lxc-start-failed',
    `Cannot start container ${vmid}: ${reason}${said === '' ? '' : `; its console says: ${said}`} (log: ${files.log})`,
    {
      details: { log: files.log, console: files.console },
    },
  );
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-3).join(' | ').slice(-300);
}
