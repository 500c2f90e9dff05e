/**
 * Runs one action of a fence agent: any program of the fence-agents convention (Debian's package, or one of one's own). It gets its
 * parameters a line on standard input, never as arguments, which every user of the machine could read; no shell is involved.
 */
import { spawn } from 'node:child_process';
import type { FenceDevice } from '../../schema/fencing-config.js';

export interface FenceCall {
  readonly action: 'off' | 'status';
  readonly device: FenceDevice;
}

/** How the agent ended: by itself, or because its time was up. `said`: the end of what it wrote to its standard error, without passwords. */
export interface FenceAnswer {
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly said: string;
}

const SAID_AT_MOST = 400;
/** Of a program that was told to end and does not. */
const TERM_GRACE_MS = 2_000;
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Resolves when the agent has ended, with whatever it started, and in any case a moment after it was killed: one that waits for a device of the kernel
 * can't be. An agent that can't be started has the exit code null.
 */
export function runFenceAgent({ action, device }: FenceCall): Promise<FenceAnswer> {
  const { agent, parameters, timeoutSeconds } = device;
  return new Promise((resolve) => {
    const child = spawn(agent, [], { stdio: ['pipe', 'ignore', 'pipe'], detached: true, env: { PATH, LC_ALL: 'C' }, cwd: '/' });
    let said = '';
    let timedOut = false;
    const signalAll = (signal: NodeJS.Signals): void => {
      // Its process group: agents run ssh, ipmitool and the like.
      if (child.pid !== undefined) killGroup(child.pid, signal);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      signalAll('SIGTERM');
      setTimeout(() => end(null), TERM_GRACE_MS);
    }, timeoutSeconds * 1_000);
    const end = (exitCode: number | null): void => {
      clearTimeout(timer);
      signalAll('SIGKILL');
      resolve({ exitCode: timedOut ? null : exitCode, timedOut, said: redacted(said, parameters).trim() });
    };
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4 * SAID_AT_MOST);
    });
    child.once('error', (error) => {
      said = error.message;
      end(null);
    });
    // Not "close": a child of the agent that keeps the pipe open must not keep us.
    child.once('exit', (code) => setImmediate(() => end(code)));
    // An agent that ends without reading its parameters: its exit code says what happened.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${[...Object.entries(parameters), ['action', action]].map(([name, value]) => `${name}=${value}`).join('\n')}\n`);
  });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has no member left.
  }
}

/** What an agent repeats of its parameters goes into stories and logs, and must not carry a password there. */
function redacted(text: string, parameters: FenceDevice['parameters']): string {
  const secrets = Object.entries(parameters).flatMap(([name, value]) => (/pass|secret|token|key/i.test(name) && value !== '' ? [value] : []));
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text).slice(-SAID_AT_MOST);
}
