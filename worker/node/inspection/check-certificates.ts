import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pkiFolder } from '../../../src/config/paths.js';
import { checkCertificateFiles } from '../../../src/domain/check-node-files.js';
import type { Finding } from '../../../src/domain/checks.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import type { NodeContext } from '../node-context.js';

/**
 * Would QEMU accept this node's files for its end of an encrypted stream? Found out before anything changes: QEMU itself says it
 * only when the stream begins. Whether both nodes trust the same authority shows only there.
 */
export async function checkCertificates(node: NodeContext, request: { side: 'client' | 'server'; options: MigrationOptions }): Promise<readonly Finding[]> {
  if (request.options.type === 'insecure') return [];
  const names = { authority: 'ca-cert.pem', certificate: `${request.side}-cert.pem`, key: `${request.side}-key.pem` };
  const files = await Promise.all(Object.values(names).map(async (name) => ({ name, text: await readOrNull(join(pkiFolder(node.paths), name)) })));
  const missing = files.filter(({ text }) => text === null).map(({ name }) => `has no ${name}`);
  const texts = files.map(({ text }) => text ?? '');
  const complaints = missing.length > 0 ? missing : complaintsAbout(names, texts, new Date());
  return checkCertificateFiles(node.node, complaints);
}

function complaintsAbout(names: { authority: string; certificate: string; key: string }, texts: readonly string[], now: Date): readonly string[] {
  const [authorityText = '', certificateText = '', keyText = ''] = texts;
  const authority = readOr(() => new X509Certificate(authorityText));
  const certificate = readOr(() => new X509Certificate(certificateText));
  const key = readOr(() => createPrivateKey(keyText));
  if (authority === null) return [`has a ${names.authority} that is no certificate`];
  if (certificate === null) return [`has a ${names.certificate} that is no certificate`];
  if (key === null) return [`has a ${names.key} that is no private key`];
  return [
    ...[authority, certificate].flatMap((each) =>
      now < new Date(each.validFrom) || now > new Date(each.validTo)
        ? [`has ${each === authority ? names.authority : names.certificate}, which is valid from ${each.validFrom} to ${each.validTo},`]
        : [],
    ),
    ...(certificate.verify(authority.publicKey) ? [] : [`has a ${names.certificate} that its ${names.authority} did not sign`]),
    ...(certificate.checkPrivateKey(key) ? [] : [`has a ${names.key} that does not belong to its ${names.certificate}`]),
  ];
}

function readOr<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}

async function readOrNull(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}
