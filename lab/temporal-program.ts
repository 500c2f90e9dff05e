import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { KedgeError } from '../src/domain/kedge-error.js';
import { repositoryFolder } from './lab-folder.js';

/**
 * The Temporal CLI: `KEDGE_TEMPORAL`, the cache that set-up fills, then PATH.
 * @throws KedgeError `lab-failed` when none is there
 */
export function temporalProgram(): string {
  const named = process.env['KEDGE_TEMPORAL'];
  const candidates = [
    ...(named === undefined ? [] : [named]),
    join(repositoryFolder(), '.cache', 'bin', 'temporal'),
    ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'temporal')),
  ];
  const program = candidates.find(isExecutable);
  if (program !== undefined) return program;
  throw new KedgeError('lab-failed', 'Cannot find the Temporal CLI: run "npm run setup", it puts it into .cache/bin');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
