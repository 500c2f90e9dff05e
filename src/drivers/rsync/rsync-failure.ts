import { KedgeError } from '../../domain/kedge-error.js';
import { RELAY_EXIT, type RsyncExit, rsyncExit } from './exit-codes.js';

/** How one run of rsync ended. */
export interface RsyncEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its standard error, `LC_ALL=C`. */
  readonly stderr: string;
  /** Files that vanish are normal while the container still runs. */
  readonly vanishedFiles: 'normal' | 'error';
}

/**
 * Judges the end of a run: null when it did its work, else the error. `details` has the exit code, the end of stderr
 * and `retry`: `backoff`, `once` (one more try by the caller, then permanent) or `never`.
 */
export function rsyncFailure(end: RsyncEnd): KedgeError | null {
  const { exitCode, signal, stderr } = end;
  if (exitCode === 0 || (exitCode === 24 && end.vanishedFiles === 'normal')) return null;
  const { meaning, retry, code } = exitCode === null ? KILLED : refine(exitCode, stderr);
  const words = lastWords(stderr);
  return new KedgeError(code, `Cannot copy: ${meaning}${words === '' ? '' : `: ${words}`}`, {
    details: { exitCode, signal, retry, stderr: stderr.slice(-2_000) },
  });
}

const SSH_FAILED = 255;
const KILLED: RsyncExit = { meaning: 'rsync was killed', retry: 'backoff', code: 'copy-failed' };

/** Some codes say too little: a full file system comes as 11, 12 or 23, and everything that ssh has to say as 255. */
function refine(exitCode: number, stderr: string): RsyncExit {
  // What our relay said: rsync itself only saw the stream end.
  const relayed = /^kedge (refused|busy|failed|absent): /m.exec(stderr)?.[1];
  const exit = rsyncExit(relayEnd(relayed) ?? exitCode);
  if (relayed !== undefined) return exit;
  if ([11, 12, 23].includes(exitCode) && /No space left on device|Disk quota exceeded/.test(stderr)) {
    return { meaning: 'a storage is full', retry: 'never', code: 'no-space' };
  }
  if (exitCode !== SSH_FAILED && !endedBeforeItBegan(exitCode, stderr)) return exit;
  if (/Host key verification failed|No \S+ host key is known|REMOTE HOST IDENTIFICATION HAS CHANGED|no matching host key type/.test(stderr)) {
    return { meaning: 'the other node shows another host key than the pinned one', retry: 'never', code: 'peer-untrusted' };
  }
  if (/Permission denied \(/.test(stderr)) return { meaning: 'the other node does not accept our key', retry: 'never', code: 'peer-refused' };
  return rsyncExit(SSH_FAILED);
}

/** rsync may see the end of the stream before that of ssh, and then it does not hand on ssh's own code. */
function endedBeforeItBegan(exitCode: number, stderr: string): boolean {
  return exitCode === 12 && stderr.includes('connection unexpectedly closed (0 bytes received so far)');
}

function relayEnd(kind: string | undefined): number | undefined {
  return Object.entries(RELAY_EXIT).find(([name]) => name === kind)?.[1];
}

/** The first thing that was said: what follows are consequences, and rsync's own summary of its exit code. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '' && !line.startsWith('rsync error:') && !line.startsWith('@@@')) ?? '';
}
