import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import { writeDurably } from '../host/durable-file.js';
import { storageError } from '../host/storage-error.js';
import { authorityCertificateFile, authorityKeyFile } from './authority-files.js';
import { signCertificate } from './sign-certificate.js';

const VALID_DAYS = 3650;

/**
 * Makes the certificate authority of a cluster: `ca-cert.pem` and `ca-key.pem` in `folder`, readable by their owner alone.
 * @throws KedgeError `already-exists`: a second authority would make every node a stranger to the others
 */
export async function createAuthority(folder: string, options: { readonly cluster: string }): Promise<void> {
  if (existsSync(authorityKeyFile(folder)) || existsSync(authorityCertificateFile(folder))) {
    throw new KedgeError('already-exists', `Cannot make a certificate authority: "${folder}" has one`, { details: { folder } });
  }
  const { key, certificate } = await signCertificate({
    commonName: `${options.cluster} authority`,
    days: VALID_DAYS,
    extensions: ['basicConstraints = critical,CA:TRUE,pathlen:0', 'keyUsage = critical,keyCertSign,cRLSign'],
  });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageError(`make the folder "${folder}"`, error);
  }
  await writeDurably(authorityKeyFile(folder), key);
  await writeDurably(authorityCertificateFile(folder), certificate);
}
