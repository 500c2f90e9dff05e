import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterConfigFile, pathsFromEnvironment } from '../config/paths.js';
import { KedgeError } from '../domain/kedge-error.js';

/**
 * Finds the cluster's kedge.yaml: `--config`, KEDGE_CONFIG, the lab that KEDGE_LAB names, /etc/kedge/kedge.yaml, or the only lab
 * on this machine. @throws KedgeError `bad-input` or `bad-config` that says where it looked.
 */
export async function findConfig(options: { config?: string }, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  if (options.config !== undefined) return demand(options.config, '--config');
  const named = environment['KEDGE_CONFIG'];
  if (named !== undefined && named !== '') return demand(named, 'KEDGE_CONFIG');
  const labs = environment['KEDGE_LAB_ROOT'] ?? '/var/lib/kedge-lab';
  const lab = environment['KEDGE_LAB'];
  if (lab !== undefined && lab !== '') return demand(join(labs, lab, 'kedge.yaml'), 'KEDGE_LAB');
  const system = clusterConfigFile(pathsFromEnvironment({ ...environment }));
  if (await exists(system)) return system;
  return onlyLab({ labs, system });
}

async function demand(file: string, setting: string): Promise<string> {
  if (await exists(file)) return file;
  throw new KedgeError('bad-input', `Cannot read ${setting}: there is no file "${file}"`, {
    details: { field: setting, value: file, remedy: `Name an existing kedge.yaml with ${setting}` },
  });
}

async function onlyLab({ labs, system }: { labs: string; system: string }): Promise<string> {
  const found: string[] = [];
  for (const name of await readdir(labs).catch(() => [])) {
    if (await exists(join(labs, name, 'kedge.yaml'))) found.push(name);
  }
  const [only, ...more] = found.sort();
  if (only === undefined) {
    throw new KedgeError('bad-config', `Cannot find a cluster: there is neither "${system}" nor a lab below "${labs}"`, {
      details: { remedy: 'Name the file with --config or KEDGE_CONFIG, or build a cluster to try with "kedge lab up"' },
    });
  }
  if (more.length > 0) {
    throw new KedgeError('bad-config', `Cannot choose a lab: there are ${found.join(', ')}`, {
      details: { remedy: `Name one, e.g. KEDGE_LAB=${only}` },
    });
  }
  return join(labs, only, 'kedge.yaml');
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
