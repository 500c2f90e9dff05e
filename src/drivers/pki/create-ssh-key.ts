import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KedgeError } from '../../domain/kedge-error.js';
import { storageError } from '../host/storage-error.js';
import { runProgram } from './run-program.js';

/**
 * Makes an ed25519 key without a passphrase at `file` (and `file.pub`), readable by its owner alone, and returns the public key.
 * @throws KedgeError `already-exists`: the peers know the old key
 */
export async function createSshKey(file: string, comment: string): Promise<string> {
  if (existsSync(file)) throw new KedgeError('already-exists', `Cannot make an ssh key: "${file}" exists`, { details: { file } });
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageError(`make the folder "${dirname(file)}"`, error);
  }
  await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  return (await readFile(`${file}.pub`, 'utf8')).trim();
}
