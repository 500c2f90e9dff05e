import { type ClusterConfig, clusterConfigSchema } from '../schema/cluster-config.js';
import { loadYaml } from './load-yaml.js';
import { type KedgePaths, clusterConfigFile } from './paths.js';

/**
 * Reads kedge.yaml, of this node's folders or the named file (clients choose theirs).
 * @throws KedgeError `bad-config` that names file, line, field, value and remedy
 */
export async function loadClusterConfig(where: KedgePaths | string): Promise<ClusterConfig> {
  return loadYaml(typeof where === 'string' ? where : clusterConfigFile(where), clusterConfigSchema);
}
