import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { Role } from './address-plan.js';
import { joinFiles } from './cgroups.js';
import { labFolder, repositoryFolder } from './lab-folder.js';
import type { LabState, Machine } from './lab-state.js';
import { childrenOf, identify, namespacesOf } from './processes.js';
import { temporalProgram } from './temporal-program.js';

/** Environment variable that marks every process of a lab with its folder, so that `down` finds strays. */
export const MARKER = 'KEDGE_LAB_MARKER';
const READY_TIMEOUT_MS = 15_000;

/** A machine whose namespaces and mounts are made, and which waits for its network. */
export interface WaitingMachine {
  readonly machine: Machine;
  /** Lets it start its components. */
  readonly go: () => void;
  /** Ends it: for a build that fails elsewhere. */
  readonly abandon: () => void;
}

/**
 * Starts PID 1 of a machine in fresh namespaces, detached from us, and waits until its mounts are made.
 * A caller that dies before `go` ends the machine with it.
 * @throws KedgeError `lab-failed` with the end of the machine's log
 */
export async function launchMachine(lab: LabState, machine: Machine): Promise<WaitingMachine> {
  const logFile = join(machine.folder, 'log', 'init.log');
  const log = openSync(logFile, 'a', 0o600);
  const repository = repositoryFolder();
  const child = spawn(
    'bash',
    [
      join(repository, 'lab', 'in-cgroup.sh'),
      ...joinFiles(machine.cgroups),
      '--',
      'unshare',
      ...NAMESPACE_FLAGS[machine.role],
      '--fork',
      '--kill-child=KILL',
      '--',
      'bash',
      join(repository, 'lab', 'node-init.sh'),
      machine.role,
      machine.name,
      machine.folder,
    ],
    { detached: true, cwd: '/', stdio: ['ignore', log, log, 'pipe', 'pipe'], env: machineEnvironment(lab, machine) },
  );
  closeSync(log);
  child.unref();
  const [ready, go] = pipesOf(child.stdio);
  try {
    await becomesReady(ready, { machine: machine.name, logFile });
  } catch (error) {
    go.destroy();
    throw error;
  } finally {
    ready.destroy();
  }
  const launcher = identify(child.pid ?? 0);
  const init = childrenOf(child.pid ?? 0).flatMap((pid) => identify(pid) ?? [])[0];
  if (launcher === undefined || init === undefined) throw failedStart(machine.name, logFile);
  return {
    machine: { ...machine, launcher, init, namespaces: namespacesOf(init.pid) },
    go: () => go.end('go\n', () => go.destroy()),
    abandon: () => go.destroy(),
  };
}

const NAMESPACE_FLAGS: Readonly<Record<Role, readonly string[]>> = {
  switch: ['--net', '--pid', '--mount', '--mount-proc'],
  // The relay listens on the host's loopback: it keeps the host's network.
  relay: ['--pid', '--mount', '--mount-proc'],
  client: ['--net', '--pid', '--mount', '--mount-proc'],
  control: ['--net', '--pid', '--mount', '--mount-proc', '--uts', '--ipc'],
  node: ['--net', '--pid', '--mount', '--mount-proc', '--uts', '--ipc'],
};

function machineEnvironment(lab: LabState, machine: Machine): NodeJS.ProcessEnv {
  const passed = ['PATH', 'LANG', 'KEDGE_LAB_NODE_COMMAND', 'KEDGE_LAB_CONTROL_COMMAND', 'KEDGE_LAB_SABOTAGE', 'KEDGE_LOG_LEVEL'];
  return {
    ...Object.fromEntries(passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
    ...(process.env['KEDGE_LAB_NODE_OPTIONS'] === undefined ? {} : { NODE_OPTIONS: process.env['KEDGE_LAB_NODE_OPTIONS'] }),
    HOME: '/root',
    [MARKER]: lab.folder,
    KEDGE_LAB_REPOSITORY: repositoryFolder(),
    KEDGE_LAB_SHARED: lab.sharedFolder,
    KEDGE_LAB_PORT: String(lab.temporal.port),
    ...(lab.options.fencing === true && ['control', 'node'].includes(machine.role) ? { KEDGE_LAB_POWER: labFolder(lab.name).powerFolder } : {}),
    ...(machine.role === 'control' ? { KEDGE_LAB_TEMPORAL: temporalProgram() } : {}),
  };
}

function pipesOf(stdio: readonly (Readable | Writable | null | undefined)[]): [Readable, Writable] {
  const ready = stdio[3];
  const go = stdio[4];
  if (ready && 'read' in ready && go && 'write' in go) return [ready, go];
  throw new KedgeError('internal', 'Cannot start a machine of the lab: its pipes are missing');
}

function becomesReady(ready: Readable, context: { machine: string; logFile: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(failedStart(context.machine, context.logFile)), READY_TIMEOUT_MS);
    ready.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
    ready.once('end', () => {
      clearTimeout(timer);
      reject(failedStart(context.machine, context.logFile));
    });
  });
}

function failedStart(machine: string, logFile: string): KedgeError {
  const end = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('; ');
  return new KedgeError('lab-failed', `Cannot start machine "${machine}" of the lab: ${end === '' ? 'it ended without a message' : end} (${logFile})`);
}
