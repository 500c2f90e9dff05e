import { type NodeConfig, nodeConfigSchema } from '../schema/node-config.js';
import { loadYaml } from './load-yaml.js';
import { type KedgePaths, nodeConfigFile } from './paths.js';

/** Reads node.yaml. @throws KedgeError `bad-config` that names file, line, field, value and remedy */
export async function loadNodeConfig(paths: KedgePaths): Promise<NodeConfig> {
  return loadYaml(nodeConfigFile(paths), nodeConfigSchema);
}
