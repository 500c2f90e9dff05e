import { execFile } from 'node:child_process';
import { KedgeError } from '../../domain/kedge-error.js';
import { errnoOf } from '../host/storage-error.js';

/** Making a key takes milliseconds; a program that takes this long waits for something that never comes. */
const TIMEOUT_MS = 30_000;

/**
 * Runs openssl or ssh-keygen to its end and returns its standard output.
 * @throws KedgeError `unsupported` when the program is not installed, `internal` with what it said when it fails
 */
export function runProgram(program: 'openssl' | 'ssh-keygen', args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // An OPENSSL_CONF of the operator must not change what the certificates of the cluster say.
    const env = { ...process.env, OPENSSL_CONF: '/dev/null', LC_ALL: 'C' };
    const child = execFile(program, args, { timeout: TIMEOUT_MS, env }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (errnoOf(error) === 'ENOENT') return reject(new KedgeError('unsupported', `Cannot make keys: ${program} is not installed`, { cause: error }));
      reject(new KedgeError('internal', `Cannot run ${program} ${args[0] ?? ''}: ${stderr.trim()}`, { cause: error }));
    });
    // Nothing of ours asks questions: a program that does gets the end of its input instead of the operator's terminal.
    child.stdin?.end();
  });
}
