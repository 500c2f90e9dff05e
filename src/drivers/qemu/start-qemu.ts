import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import { connectQmp } from '../qmp/connect-qmp.js';
import type { QmpConnection } from '../qmp/qmp-connection.js';
import { killQemu } from './kill-qemu.js';
import { readQemuProcess, type QemuProcess } from './qemu-process.js';
import { runFiles, type RunFiles } from './run-files.js';
import { scanQemu } from './scan-qemu.js';

const RETRY_MS = 10;
/** QEMU opens all disks before it greets, which slow shared storage may make long. One that dies is noticed at once. */
const GREETING_WITHIN_MS = 120_000;
const STDERR_TAIL_CHARACTERS = 2_000;

export interface StartQemuOptions {
  readonly vmid: number;
  /** The run folder of the guest; made when it is missing. */
  readonly folder: string;
  /** The program, e.g. `qemu-system-x86_64`. */
  readonly binary: string;
  /** From `qemuArguments`: they hold `-S`, so nothing runs before a `cont`. */
  readonly args: readonly string[];
  /** How long QEMU may take until its greeting; default two minutes. */
  readonly timeoutMs?: number;
}

export interface StartedQemu {
  readonly identity: QemuProcess;
  /** Negotiated connection to the control socket. */
  readonly qmp: QmpConnection;
}

/**
 * Starts a guest's QEMU in a session of its own, so that it outlives the worker, and waits for the greeting of its
 * control socket. The guest's vCPUs stand still until somebody with a record sends `cont`.
 * @throws KedgeError `guest-state` a QEMU of this vmid runs already, `qemu-start-failed` with the tail of its stderr
 */
export async function startQemu(options: StartQemuOptions): Promise<StartedQemu> {
  const { vmid, binary } = options;
  const files = runFiles(options.folder);
  // By command line, not by pid file: the file may be lost while the process lives.
  const existing = scanQemu({ vmid }).find((found) => found.pidFile === files.pidFile);
  if (existing !== undefined) {
    throw new KedgeError('guest-state', `Cannot start QEMU of guest ${vmid}: process ${existing.pid} runs it already`, { details: { pid: existing.pid } });
  }
  clearRunFolder(files);
  const child = spawnDetached(options, files);
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = performance.now() + (options.timeoutMs ?? GREETING_WITHIN_MS);
  for (;;) {
    const qmp = await tryConnect(files);
    if (qmp !== null) {
      const identity = child.pid === undefined ? null : readQemuProcess(child.pid);
      if (identity !== null) return { identity, qmp };
      qmp.close();
    }
    const ended = failure?.message ?? describeExit(child);
    if (ended !== null) throw startFailed({ vmid, binary, files, reason: ended, cause: failure });
    if (performance.now() >= deadline) {
      const identity = child.pid === undefined ? null : readQemuProcess(child.pid);
      if (identity !== null) await killQemu(identity);
      throw startFailed({ vmid, binary, files, reason: 'its control socket gave no greeting in time', cause: failure });
    }
    await delay(RETRY_MS);
  }
}

/** Left-overs of an earlier process would be taken for the new one's. */
function clearRunFolder(files: RunFiles): void {
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  for (const file of [files.pidFile, files.controlSocket, files.observerSocket]) rmSync(file, { force: true });
  try {
    renameSync(files.stderrFile, files.previousStderrFile);
  } catch {
    // The first start of this guest on this boot: there is no earlier log.
  }
}

function spawnDetached(options: StartQemuOptions, files: RunFiles): ChildProcess {
  const log = openSync(files.stderrFile, 'a', 0o600);
  try {
    const child = spawn(options.binary, [...options.args], {
      cwd: '/',
      detached: true,
      // Nothing of the worker's environment may leak into a guest's process, such as a shifted clock in the lab.
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

async function tryConnect(files: RunFiles): Promise<QmpConnection | null> {
  try {
    return await connectQmp(files.controlSocket, { greetingTimeoutMs: 2_000 });
  } catch {
    return null;
  }
}

function describeExit(child: ChildProcess): string | null {
  if (child.exitCode !== null) return `it ended with code ${child.exitCode}`;
  return child.signalCode === null ? null : `it was ended by ${child.signalCode}`;
}

function startFailed(failed: { vmid: number; binary: string; files: RunFiles; reason: string; cause: unknown }): KedgeError {
  const stderr = readTail(failed.files.stderrFile);
  const said = stderr === '' ? '' : `: ${stderr}`;
  return new KedgeError(
    'qemu-start-failed',
    `Cannot start ${failed.binary} of guest ${failed.vmid}, ${failed.reason} (log ${failed.files.stderrFile})${said}`,
    {
      cause: failed.cause,
      details: { vmid: failed.vmid, stderr, log: failed.files.stderrFile },
    },
  );
}

function readTail(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().slice(-STDERR_TAIL_CHARACTERS);
  } catch {
    return '';
  }
}
