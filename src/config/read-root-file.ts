import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { KedgeError } from '../domain/kedge-error.js';

const GROUP_AND_OTHERS = 0o077;

/**
 * Reads a file that holds secrets; null when there is none. What is judged is the open file, not its name: it can't be exchanged in between.
 * @throws KedgeError `bad-config` when others than root may read or change it
 */
export async function readRootFile(file: string): Promise<string | null> {
  const refuse = (state: string, remedy: string, cause?: unknown): KedgeError =>
    new KedgeError('bad-config', `Cannot use ${file}: it ${state}, must be a regular file that root alone may read`, {
      details: { file, remedy },
      ...(cause === undefined ? {} : { cause }),
    });
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw refuse('is no regular file', `Replace ${file} by a regular file`);
      if (stat.uid !== 0) throw refuse(`belongs to uid ${String(stat.uid)}`, `Run: chown root ${file}`);
      if ((stat.mode & GROUP_AND_OTHERS) !== 0) throw refuse(`has the mode ${(stat.mode & 0o777).toString(8)}`, `Run: chmod 600 ${file}`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof KedgeError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT') return null;
    throw refuse(code === 'ELOOP' ? 'is a symbolic link' : "can't be read", `Replace ${file} by a regular file`, error);
  }
}
