import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.js';

/** A fresh key with its certificate, both PEM. */
export interface SignedPair {
  readonly key: string;
  readonly certificate: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly days: number;
  /** Lines of an OpenSSL extension section, e.g. `basicConstraints=critical,CA:FALSE`. */
  readonly extensions: readonly string[];
  /** Who signs; itself when absent. */
  readonly signer?: { readonly certificateFile: string; readonly keyFile: string };
}

/** Nodes whose clock is behind that of the signer must accept a certificate that was made a moment ago. */
const BACKDATED_DAYS = 1;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Makes an EC key (P-256) and a certificate for it with `openssl ca`, the one command of OpenSSL 3.0 that can backdate.
 * @throws KedgeError `unsupported`, `internal`
 */
export async function signCertificate(request: CertificateRequest): Promise<SignedPair> {
  // Made with mode 0700, so that the key is never readable by others, and gone at the end whatever happens.
  const folder = await mkdtemp(join(tmpdir(), 'kedge-pki-'));
  try {
    const at = (name: string): string => join(folder, name);
    await runProgram('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at('key.pem')]);
    await writeFile(at('ca.cnf'), configText(folder, request));
    await writeFile(at('index.txt'), '');
    await runProgram('openssl', [
      'req',
      '-new',
      '-config',
      at('ca.cnf'),
      '-key',
      at('key.pem'),
      '-subj',
      `/O=Kedge/CN=${request.commonName}`,
      '-out',
      at('request.pem'),
    ]);
    const signer =
      request.signer === undefined ? ['-selfsign', '-keyfile', at('key.pem')] : ['-cert', request.signer.certificateFile, '-keyfile', request.signer.keyFile];
    const now = Date.now();
    const validity = ['-startdate', openSslTime(now - BACKDATED_DAYS * DAY_MS), '-enddate', openSslTime(now + request.days * DAY_MS)];
    const files = ['-in', at('request.pem'), '-out', at('cert.pem')];
    await runProgram('openssl', ['ca', '-batch', '-notext', '-config', at('ca.cnf'), ...signer, ...validity, ...files]);
    return { key: await readFile(at('key.pem'), 'utf8'), certificate: await readFile(at('cert.pem'), 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configText(folder: string, request: CertificateRequest): string {
  return `[req]
distinguished_name = name
prompt = no
[name]
[ca]
default_ca = kedge
[kedge]
database = ${folder}/index.txt
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = subject
x509_extensions = extensions
copy_extensions = none
[subject]
organizationName = supplied
commonName = supplied
[extensions]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${request.extensions.join('\n')}
`;
}

/** GeneralizedTime as `openssl ca` takes it: YYYYMMDDHHMMSSZ. */
function openSslTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
}
