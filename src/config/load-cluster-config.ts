import { type ClusterConfig, clusterConfigSchema } from '../schema/cluster-config.js';
import { loadYaml } from './load-yaml.js';
import { type KedgePaths, clusterConfigFile } from './paths.js';

/**
 * Reads kedge.yaml, of this node's folders or the named file (clients choose theirs).
 * @throws KedgeError `bad-config` that names file, line, field, value and remedy
 */
export async function loadClusterConfig(where: KedgePaths | string): Promise<ClusterConfig> {
  const file = typeof where === 'string' ? where : clusterConfigFile(where);
  const config = await loadYaml(file, clusterConfigSchema);
  if (config.blackouts.length === 0) return config;
  const { clusterConfigWithRulesSchema } = await import('../schema/cluster-config-rules.js');
  return loadYaml(file, clusterConfigWithRulesSchema);
}
