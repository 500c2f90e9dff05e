import { spawn } from 'node:child_process';
import { quoteForShell } from './authorized-keys.js';

export interface RemoteCommand {
  /** From `sshArguments`, with the host. */
  readonly ssh: readonly string[];
  readonly command: string;
  readonly timeoutMs: number;
  readonly onOutput?: (tail: string) => void;
}

export interface RemoteEnd {
  /** Null: the connection was lost, or ssh was ended: how the command ended, or whether it has, is not known. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly output: string;
}

const TAIL = 4_000;
/** ssh's own failures. A command that ends so can't be told from them. */
const SSH_FAILED = 255;
/** timeout(1): its time was over; it had to be killed. A command may end so by itself, before its time: killed for want of memory, for one. */
const TIMED_OUT: readonly number[] = [124, 137];
/** After the node's own limit has ended the command. */
const ANSWER_GRACE_MS = 30_000;
const KILL_AFTER_SECONDS = 10;

/**
 * Runs a shell command at the other end of ssh. The limit is the node's own (timeout(1)): a command whose connection is lost ends there too, and
 * none is left behind for ever. ssh ends with this process.
 */
export async function runRemoteCommand({ ssh, command, timeoutMs, onOutput }: RemoteCommand): Promise<RemoteEnd> {
  const seconds = Math.ceil(timeoutMs / 1_000);
  const limited = `timeout --kill-after=${KILL_AFTER_SECONDS} ${seconds} sh -c ${quoteForShell(command)}`;
  const startedMs = performance.now();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...ssh, limited], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-TAIL);
    onOutput?.(output);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs + ANSWER_GRACE_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const timedOut = code !== null && TIMED_OUT.includes(code) && performance.now() - startedMs >= seconds * 1_000;
    return { exitCode: code === SSH_FAILED ? null : code, timedOut, output };
  } finally {
    clearTimeout(late);
  }
}
