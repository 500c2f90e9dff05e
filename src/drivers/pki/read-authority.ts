import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { authorityCertificateFile } from './authority-files.js';

/** The SHA-256 fingerprint of the certificate authority in a node's pki folder; null without one that can be read. */
export async function readAuthority(folder: string): Promise<string | null> {
  try {
    return new X509Certificate(await readFile(authorityCertificateFile(folder))).fingerprint256;
  } catch {
    return null;
  }
}
