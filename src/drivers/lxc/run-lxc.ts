import { spawn } from 'node:child_process';
import { KedgeError } from '../../domain/kedge-error.js';
import type { ContainerRef } from './container-ref.js';

/** How a tool of LXC ended; `code` is null when it was ended by a signal or by the `signal` of its options. */
export interface LxcResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a tool of LXC on a container to its end. It has its own process group: a worker that dies takes nothing with it, but for an `lxc-wait`, which
 * has no effect, and would wait on for nobody.
 * @throws KedgeError `unsupported` when LXC is not installed
 */
export function runLxc(
  tool: 'lxc-info' | 'lxc-start' | 'lxc-stop' | 'lxc-wait' | 'lxc-freeze' | 'lxc-unfreeze',
  container: ContainerRef,
  options: { readonly args?: readonly string[]; readonly signal?: AbortSignal } = {},
): Promise<LxcResult> {
  const { lxcPath, vmid } = container;
  return new Promise((resolve, reject) => {
    const command = [tool, '-P', lxcPath, '-n', String(vmid), ...(options.args ?? [])];
    const [program = tool, ...args] = tool === 'lxc-wait' ? ['setpriv', '--pdeathsig', 'KILL', ...command] : command;
    const child = spawn(program, args, {
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    });
    const stop = (): void => {
      child.kill('SIGTERM');
    };
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted === true) stop();
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (cause) => {
      reject(new KedgeError('unsupported', `Cannot act on container ${vmid}: ${tool} cannot be run, install the package lxc`, { cause }));
    });
    // A container's monitor keeps none of our pipes: it has /dev/null instead.
    child.on('close', (code) => {
      options.signal?.removeEventListener('abort', stop);
      resolve({ code, stdout, stderr });
    });
  });
}
