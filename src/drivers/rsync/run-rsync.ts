import { type ChildProcess, spawn } from 'node:child_process';
import { KedgeError } from '../../domain/kedge-error.js';
import { type ParsedOutput, ProgressParser, type RsyncProgress } from './parse-progress.js';
import { parseStats, type RsyncStats } from './parse-stats.js';
import { rsyncEnvironment } from './rsync-environment.js';
import { rsyncFailure } from './rsync-failure.js';
import { watchMotion } from './watch-motion.js';

export interface RsyncRun {
  /** From `imagePassArguments` or `treePassArguments`. */
  readonly args: readonly string[];
  /** Files that vanish during the pass are normal while a container runs, an error after it stopped. Images: `error`. */
  readonly vanishedFiles: 'normal' | 'error';
  /** Ends the copy; what was copied stays and the next pass goes on from there. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RsyncProgress) => void;
  /** The copy is given up when rsync neither reads nor writes a byte for so long. */
  readonly stallTimeoutMs?: number;
}

export interface RsyncResult extends RsyncStats {
  readonly durationMs: number;
}

const STALL_TIMEOUT_MS = 90_000;
/** A pass that was told to end writes its state down; one that hangs in the kernel is killed. */
const TERM_GRACE_MS = 2_000;
const STDERR_LIMIT = 16_384;
/** The statistics are some twenty lines; warnings may come before them. */
const LINES_KEPT = 200;

/**
 * Runs one pass of rsync to its end. It runs in a process group of its own, which has no member left when this returns or throws:
 * nothing of this side writes or reads any more. The process on the other node ends with its connection, at the latest after
 * rsync's own timeout; what must not overlap with it is kept apart by the grant's lock.
 * @throws KedgeError by `rsyncFailure`; `copy-stalled`; `cancelled` by the signal; `copy-refused` when rsync is not installed
 */
export async function runRsync(run: RsyncRun): Promise<RsyncResult> {
  if (run.signal?.aborted === true) throw cancelled();
  const startedAt = performance.now();
  // The kernel ends rsync with this process: a copy that nobody counts would hold the grant's lock against the next attempt.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'rsync', ...run.args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: rsyncEnvironment() });
  const output = collectOutput(child, run.onProgress);
  const stop = interrupter(child);
  const onAbort = (): void => stop.now(cancelled());
  run.signal?.addEventListener('abort', onAbort, { once: true });
  const stallTimeoutMs = run.stallTimeoutMs ?? STALL_TIMEOUT_MS;
  const watch = watchMotion({
    pid: child.pid,
    bytesOfOutput: () => output.bytes,
    stallTimeoutMs,
    onStall: () => stop.now(new KedgeError('copy-stalled', `Cannot go on with the copy: not one byte has moved for ${Math.round(stallTimeoutMs / 1_000)} s`)),
  });
  try {
    const end = await ended(child, stop);
    const failure = stop.reason ?? rsyncFailure({ ...end, stderr: output.stderr(), vanishedFiles: run.vanishedFiles });
    if (failure !== null) throw failure;
    const stats = parseStats(output.lines());
    if (stats === null) throw new KedgeError('copy-refused', 'Cannot read the statistics of rsync: it did not print them');
    return { ...stats, durationMs: performance.now() - startedAt };
  } finally {
    watch.stop();
    run.signal?.removeEventListener('abort', onAbort);
  }
}

function collectOutput(child: ChildProcess, onProgress: RsyncRun['onProgress']) {
  const parser = new ProgressParser();
  const lines: string[] = [];
  const head: string[] = [];
  let stderr = '';
  let bytes = 0;
  const take = (parsed: ParsedOutput): void => {
    lines.push(...parsed.lines);
    lines.splice(0, lines.length - LINES_KEPT);
    const last = parsed.progress.at(-1);
    if (last !== undefined) onProgress?.(last);
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    take(parser.push(chunk));
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    const text = chunk.toString('utf8');
    // Beginning and end: the first line says what went wrong, the last ones how it ended.
    if (head.join('').length < STDERR_LIMIT) head.push(text.slice(0, STDERR_LIMIT));
    else stderr = (stderr + text).slice(-STDERR_LIMIT);
  });
  return {
    get bytes() {
      return bytes;
    },
    lines(): readonly string[] {
      take(parser.end());
      return lines;
    },
    stderr: () => head.join('') + stderr,
  };
}

/** Ends the whole group, ssh included: asked first, killed after the grace. The first reason is the one that counts. */
function interrupter(child: ChildProcess) {
  let reason: KedgeError | null = null;
  let timer: NodeJS.Timeout | undefined;
  const signalGroup = (signal: 'SIGTERM' | 'SIGKILL'): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The last member of the group has ended by itself.
    }
  };
  const killAfterGrace = (): void => {
    timer ??= setTimeout(() => signalGroup('SIGKILL'), TERM_GRACE_MS);
  };
  return {
    get reason() {
      return reason;
    },
    now(error: KedgeError) {
      if (reason !== null) return;
      reason = error;
      signalGroup('SIGTERM');
      killAfterGrace();
    },
    /** rsync itself is gone: its ssh follows, or is made to. */
    leaderGone: killAfterGrace,
    done: () => clearTimeout(timer),
  };
}

/** Waits for the process and for the end of its output: its ssh holds standard error until it ends, so the group is empty then. */
function ended(child: ChildProcess, stop: ReturnType<typeof interrupter>): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new KedgeError('copy-refused', 'Cannot run rsync: setpriv of util-linux does not start', { cause: error })));
    child.once('exit', stop.leaderGone);
    child.once('close', (exitCode, signal) => {
      stop.done();
      resolve({ exitCode, signal });
    });
  });
}

function cancelled(): KedgeError {
  return new KedgeError('cancelled', 'Cannot go on with the copy: it was cancelled');
}
