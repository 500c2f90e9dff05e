/**
 * Runs one action of a fence agent: any program of the fence-agents convention (Debian's package, or one of one's own). It gets its
 * parameters a line on standard input, never as arguments, which every user of the machine could read; no shell is involved.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, readdir, readFile } from 'node:fs/promises';
import type { FenceDevice } from '../../schema/fencing-config.js';
import { wordsOfAgent } from './words-of-agent.js';

export interface FenceCall {
  /** `metadata`: what the agent says of itself; it asks no device and gets no parameters. */
  readonly action: 'off' | 'status' | 'metadata';
  readonly device: FenceDevice;
}

/** How the agent ended: by itself, or because its time was up. */
export interface FenceAnswer {
  /** Null: it was killed, or could not be started. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** The end of what it wrote to its standard error, without passwords. */
  readonly said: string;
  /** The begin of its standard output; only of `metadata`, which is long. */
  readonly printed: string;
}

const KEPT_OF_STDERR = 8_000;
const KEPT_OF_STDOUT = 500_000;
/** Of a program that was told to end and does not. */
const TERM_GRACE_MS = 2_000;
/** For the rest of its output, once it and all that it started are gone. */
const OUTPUT_GRACE_MS = 500;
/** The warnings of Python about an agent's own code would hide what it says. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', PYTHONWARNINGS: 'ignore' };
/** What an agent starts has this in its environment: pexpect gives its ssh a process group of its own. */
const MARK = 'KEDGE_FENCE_CALL';
/** An agent whose control worker was killed ends with it: the next one begins anew, and one that was left behind could cut the power of a node that is back. */
const DIES_WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] as const;

/**
 * Resolves when the agent has ended, with whatever it started, and in any case a moment after it was killed: one that waits for a device of the kernel
 * can't be. An agent that can't be started has the exit code null.
 */
export async function runFenceAgent({ action, device }: FenceCall): Promise<FenceAnswer> {
  const { agent, timeoutSeconds } = device;
  const parameters = action === 'metadata' ? {} : device.parameters;
  try {
    await access(agent, constants.X_OK);
  } catch (error) {
    return { exitCode: null, timedOut: false, said: error instanceof Error ? error.message : String(error), printed: '' };
  }
  const mark = randomUUID();
  const { exitCode, timedOut, stderr, stdout } = await new Promise<Ended>((resolve) => {
    const [program, ...options] = DIES_WITH_US;
    const child = spawn(program, [...options, agent], { stdio: 'pipe', detached: true, env: { ...ENVIRONMENT, [MARK]: mark }, cwd: '/' });
    const ended: Ended = { exitCode: null, timedOut: false, stderr: '', stdout: '' };
    const signalGroup = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined) tryKill(-child.pid, signal);
    };
    let timer = setTimeout(() => {
      ended.timedOut = true;
      signalGroup('SIGTERM');
      timer = setTimeout(end, TERM_GRACE_MS);
    }, timeoutSeconds * 1_000);
    function end(): void {
      clearTimeout(timer);
      signalGroup('SIGKILL');
      const swept = killMarked(mark);
      child.once('close', () => void swept.then(() => resolve(ended)));
      // Something that escaped the kill and keeps a pipe open must not keep us.
      void swept.then(() => setTimeout(() => resolve(ended), OUTPUT_GRACE_MS));
    }
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      ended.stderr = (ended.stderr + text).slice(-KEPT_OF_STDERR);
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (action === 'metadata' && ended.stdout.length < KEPT_OF_STDOUT) ended.stdout += text;
    });
    child.once('error', (error) => {
      ended.stderr = error.message;
      end();
    });
    child.once('exit', (code) => {
      ended.exitCode = code;
      end();
    });
    // An agent that ends without reading its parameters: its exit code says what happened.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${[...Object.entries(parameters), ['action', action]].map(([name, value]) => `${name}=${value}`).join('\n')}\n`);
  });
  return {
    exitCode: timedOut ? null : exitCode,
    timedOut,
    said: wordsOfAgent(stderr, { parameters, wasCut: stderr.length === KEPT_OF_STDERR }),
    printed: stdout,
  };
}

interface Ended {
  exitCode: number | null;
  timedOut: boolean;
  stderr: string;
  stdout: string;
}

/** What an agent has put into another process group or session, as a daemon does. */
async function killMarked(mark: string): Promise<void> {
  for (const entry of await readdir('/proc').catch(() => [])) {
    const pid = Number(entry);
    if (!Number.isSafeInteger(pid)) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'latin1').catch(() => '');
    if (environment.includes(`${MARK}=${mark}`)) tryKill(pid, 'SIGKILL');
  }
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
