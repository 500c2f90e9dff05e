import { existsSync } from 'node:fs';
import { type Claims, claimsSchema } from '../schema/claims.js';
import { loadYaml } from './load-yaml.js';
import { type KedgePaths, claimsFile } from './paths.js';

/** Reads the facts that a lab overrides; none when there is no claims.yaml, as on every real node. @throws KedgeError `bad-config` */
export async function loadClaims(paths: KedgePaths): Promise<Claims> {
  const file = claimsFile(paths);
  return existsSync(file) ? loadYaml(file, claimsSchema) : {};
}
