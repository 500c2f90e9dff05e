import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { KedgeError } from '../domain/kedge-error.js';
import { type FencingConfig, fencingConfigSchema } from '../schema/fencing-config.js';
import { parseYaml } from './load-yaml.js';
import { fencingConfigFile, type KedgePaths } from './paths.js';

const GROUP_AND_OTHERS = 0o077;

/**
 * Reads which device fences which node; null when no fencing is configured. What is judged is the open file, not its name: it can't be
 * exchanged in between.
 * @throws KedgeError `bad-config` when others than root may read or change it, and for what it says
 */
export async function loadFencingConfig(paths: KedgePaths): Promise<FencingConfig | null> {
  const file = fencingConfigFile(paths);
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
      return parseYaml(await handle.readFile('utf8'), { file, schema: fencingConfigSchema });
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
