import { mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { NodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { writeDurably } from '../host/durable-file.js';
import { storageError } from '../host/storage-error.js';
import { authorityCertificateFile, authorityKeyFile } from './authority-files.js';
import { signCertificate } from './sign-certificate.js';

const VALID_DAYS = 5 * 365;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

export interface NodeCertificateOrder {
  /** Folder of the authority. */
  readonly authority: string;
  readonly node: NodeName;
  /** IP addresses and host names under which the node is reached, beside its name. */
  readonly addresses: readonly string[];
  /** Where the five files go; existing ones are replaced, which is how a certificate is renewed. */
  readonly folder: string;
}

/**
 * Issues what QEMU on a node needs for migrations in both directions, in QEMU's layout (qemu.md §8): `ca-cert.pem`,
 * `server-cert.pem`, `server-key.pem`, `client-cert.pem`, `client-key.pem`, readable by their owner alone.
 * The common name is the node's: the peer's QEMU lets in by it, and the sender checks the receiver's against it.
 * @throws KedgeError `not-found` without an authority, `bad-input` for an address that is none
 */
export async function issueNodeCertificate(order: NodeCertificateOrder): Promise<void> {
  const authorityCertificate = await readAuthority(order.authority);
  const server = await sign(order, 'serverAuth');
  const client = await sign(order, 'clientAuth');
  try {
    await mkdir(order.folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageError(`make the folder "${order.folder}"`, error);
  }
  await writeDurably(join(order.folder, 'server-key.pem'), server.key);
  await writeDurably(join(order.folder, 'server-cert.pem'), server.certificate);
  await writeDurably(join(order.folder, 'client-key.pem'), client.key);
  await writeDurably(join(order.folder, 'client-cert.pem'), client.certificate);
  await writeDurably(authorityCertificateFile(order.folder), authorityCertificate);
}

function sign(order: NodeCertificateOrder, purpose: 'serverAuth' | 'clientAuth') {
  return signCertificate({
    commonName: order.node,
    days: VALID_DAYS,
    extensions: [
      'basicConstraints = critical,CA:FALSE',
      // QEMU before 10.2 refuses a certificate without key encipherment, although EC keys have no use for it.
      'keyUsage = critical,digitalSignature,keyEncipherment',
      `extendedKeyUsage = ${purpose}`,
      `subjectAltName = ${[`DNS:${order.node}`, ...order.addresses.map(alternativeName)].join(',')}`,
    ],
    signer: { certificateFile: authorityCertificateFile(order.authority), keyFile: authorityKeyFile(order.authority) },
  });
}

/** Strict, because it becomes a line of OpenSSL's configuration. */
function alternativeName(address: string): string {
  if (isIP(address) !== 0) return `IP:${address}`;
  if (HOST_NAME.test(address)) return `DNS:${address}`;
  throw new KedgeError('bad-input', `Cannot certify address: current value is "${address}", must be an IP address or a host name`, {
    details: { value: address },
  });
}

async function readAuthority(folder: string): Promise<string> {
  try {
    return await readFile(authorityCertificateFile(folder), 'utf8');
  } catch (error) {
    throw new KedgeError('not-found', `Cannot issue a certificate: "${folder}" has no authority`, {
      cause: error,
      details: { folder, remedy: 'Make one with "kedge pki init"' },
    });
  }
}
