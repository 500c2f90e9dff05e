import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KedgeError } from '../src/domain/kedge-error.js';

/** All files of one lab live under one folder; nothing else on the host is written. */
export interface LabFolder {
  readonly name: string;
  readonly path: string;
  readonly stateFile: string;
  readonly lockFile: string;
  readonly sharedFolder: string;
  /** kedge.yaml of clients on the host, as KEDGE_CONFIG. */
  readonly configFile: string;
  /** Keys of the lab's certificate authority. */
  readonly authorityFolder: string;
  /** Unix socket between the relay on the host and the lab's Temporal server. */
  readonly temporalSocket: string;
  /** Folder of the power supply's socket: the control machine and the nodes see it too. */
  readonly powerFolder: string;
  readonly powerSocket: string;
  readonly observerSocket: string;
  readonly observerState: string;
}

/** Root of all labs: `KEDGE_LAB_ROOT`, else /var/lib/kedge-lab. */
export const labRoot = (): string => process.env['KEDGE_LAB_ROOT'] ?? '/var/lib/kedge-lab';

/** The folder of the lab `name`. @throws KedgeError `bad-input` for a name that is no plain file name */
export function labFolder(name: string): LabFolder {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name)) {
    throw new KedgeError('bad-input', `Cannot name a lab: current value is "${name}", must be at most 31 small letters, digits and hyphens`);
  }
  const path = join(labRoot(), name);
  const temporalSocket = join(path, 'control', 'link', 'temporal.sock');
  // A unix socket's address holds 108 bytes, its closing zero included.
  if (Buffer.byteLength(temporalSocket) > 107) throw new KedgeError('bad-input', `Cannot place a lab in ${path}: the path is too long for its sockets`);
  return {
    name,
    path,
    stateFile: join(path, 'lab.json'),
    lockFile: join(labRoot(), `${name}.lock`),
    sharedFolder: join(path, 'shared'),
    configFile: join(path, 'kedge.yaml'),
    authorityFolder: join(path, 'authority'),
    temporalSocket,
    powerFolder: join(path, 'power'),
    powerSocket: join(path, 'power', 'power.sock'),
    observerSocket: join(path, 'client', 'observer.sock'),
    observerState: join(path, 'client', 'observer.json'),
  };
}

/** The folder that holds package.json: scripts and the guest kernel are found from there, in the sources as in `dist/`. */
export function repositoryFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new KedgeError('internal', 'Cannot find the installation of Kedge: no package.json above its program files');
    folder = parent;
  }
  return folder;
}
