import { type FencingConfig, fencingConfigSchema } from '../schema/fencing-config.js';
import { parseYaml } from './load-yaml.js';
import { fencingConfigFile, type KedgePaths } from './paths.js';
import { readRootFile } from './read-root-file.js';

/**
 * Reads which device fences which node; null when no fencing is configured.
 * @throws KedgeError `bad-config` when others than root may read or change it, and for what it says
 */
export async function loadFencingConfig(paths: KedgePaths): Promise<FencingConfig | null> {
  const file = fencingConfigFile(paths);
  const text = await readRootFile(file);
  return text === null ? null : parseYaml(text, { file, schema: fencingConfigSchema, asWritten: 'parameters' });
}
