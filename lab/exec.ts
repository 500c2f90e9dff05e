import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { KedgeError } from '../src/domain/kedge-error.js';
import { joinFiles } from './cgroups.js';
import { repositoryFolder } from './lab-folder.js';
import type { Machine } from './lab-state.js';
import { isAlive } from './processes.js';

/** Runs a command inside a machine with our own terminal; resolves with its exit code. @throws KedgeError `lab-failed` when its power is off */
export function execInside(machine: Machine, command: readonly string[]): Promise<number> {
  const [program, ...args] = insideCommand(machine, command);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, HOME: '/root' } });
    child.on('error', (error) => reject(new KedgeError('lab-failed', `Cannot run a command in ${machine.name}`, { cause: error })));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** The argument vector that enters a machine: its cgroup first, then its namespaces. @throws KedgeError `lab-failed` when its power is off */
export function insideCommand(machine: Machine, command: readonly string[]): [string, ...string[]] {
  if (machine.init === null || !isAlive(machine.init)) throw new KedgeError('lab-failed', `Cannot enter ${machine.name}: its power is off`);
  const namespaces = machine.role === 'node' || machine.role === 'control' ? ['--mount', '--uts', '--ipc', '--net', '--pid'] : ['--mount', '--net', '--pid'];
  return [
    'bash',
    join(repositoryFolder(), 'lab', 'in-cgroup.sh'),
    ...joinFiles(machine.cgroups),
    '--',
    'nsenter',
    '--target',
    String(machine.init.pid),
    ...namespaces,
    '--',
    ...command,
  ];
}
