import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { KedgeError } from '../../domain/kedge-error.js';

/** What an operator wants to know of a certificate. */
export interface CertificateFacts {
  readonly file: string;
  readonly commonName: string;
  readonly issuer: string;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  /** RFC 3339. */
  readonly notAfter: string;
  /** SHA-256, hexadecimal with colons. */
  readonly fingerprint: string;
}

/** Reads a PEM certificate. @throws KedgeError `not-found`, or `bad-config` for a file that is none */
export async function readCertificate(file: string): Promise<CertificateFacts> {
  const pem = await readFile(file).catch((cause: unknown) => {
    throw new KedgeError('not-found', `Cannot read certificate "${file}"`, { cause, details: { file } });
  });
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new KedgeError('bad-config', `Cannot read certificate "${file}": it holds none`, { cause, details: { file } });
  }
  return {
    file,
    commonName: commonName(certificate.subject),
    issuer: commonName(certificate.issuer),
    names: (certificate.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => name.slice(name.indexOf(':') + 1)),
    notAfter: new Date(certificate.validTo).toISOString(),
    fingerprint: certificate.fingerprint256,
  };
}

/** Node prints a distinguished name as one `KEY=value` a line. */
function commonName(name: string): string {
  return /^CN=(.*)$/m.exec(name)?.[1] ?? name.replaceAll('\n', ', ');
}
