import { spawn } from 'node:child_process';

/** Exit code of the helper when another process holds the lock; any number that `flock` itself never uses. */
const CONFLICT = 75;
/** Descriptor number of the file inside the helper: the first after stdin, stdout and stderr. */
const INHERITED = 3;

/**
 * Takes flock(2), exclusively, on the open file behind `descriptor`, by the program of util-linux: the lock belongs to the
 * open file, so it outlives the helper and is held by everyone who inherited that descriptor. Costs about 1.5 ms.
 * @returns false when another open file still holds it after `waitMs`
 * @throws Error when the helper fails
 */
export function flock(descriptor: number, waitMs: number): Promise<boolean> {
  const patience = waitMs > 0 ? ['--timeout', (waitMs / 1000).toFixed(3)] : ['--nonblock'];
  const args = ['--exclusive', ...patience, '--conflict-exit-code', String(CONFLICT), String(INHERITED)];
  return new Promise((resolve, reject) => {
    const helper = spawn('flock', args, { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
    helper.once('error', reject);
    helper.once('exit', (exitCode) => {
      if (exitCode === 0 || exitCode === CONFLICT) resolve(exitCode === 0);
      else reject(new Error(`flock ended with ${String(exitCode)}`));
    });
  });
}
