import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { pathsFromEnvironment, pkiFolder } from '../../../config/paths.js';
import type { CertificateFacts } from '../../../drivers/pki/read-certificate.js';
import type { CliContext } from '../../cli-context.js';
import { newCommand } from '../../new-command.js';
import { printData } from '../../render/print-data.js';
import { authorityFolder } from './authority-folder.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** `kedge pki show`: whose certificates are here, and until when. Shows no key. */
export function pkiShowCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('show', {
    description: 'Show the certificates on this machine: whose, for which names, until when',
    examples: ['kedge pki show', 'kedge pki show --json'],
  })
    .option('--authority <folder>', 'where the authority is kept (else authority/ beside kedge.yaml)')
    .option('--json', 'JSON')
    .action(async (options) => {
      const { readCertificate } = await import('../../../drivers/pki/read-certificate.js');
      const folders = [pkiFolder(pathsFromEnvironment({ ...context.environment })), ...(await authorityFolders(authorityFolder(context, options)))];
      const files = (await Promise.all(folders.map(certificateFiles))).flat();
      const certificates = await Promise.all(files.map(readCertificate));
      printData(context, { certificates }, { json: options.json, text: () => textOf(certificates, context.now()) });
    });
}

async function authorityFolders(authority: string): Promise<readonly string[]> {
  const nodes = join(authority, 'nodes');
  const names = await readdir(nodes).catch(() => []);
  return [authority, ...names.sort().map((name) => join(nodes, name))];
}

async function certificateFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith('-cert.pem'))
    .sort()
    .map((name) => join(folder, name));
}

function textOf(certificates: readonly CertificateFacts[], now: number): string {
  if (certificates.length === 0) return 'There are no certificates here. Make an authority: kedge pki init\n';
  return certificates
    .map(({ file, commonName, issuer, names, notAfter, fingerprint }) => {
      const days = Math.floor((Date.parse(notAfter) - now) / DAY_MS);
      const until = days < 0 ? 'EXPIRED' : `${String(days)} days left`;
      const lines = [
        `for ${commonName}${names.length === 0 ? '' : ` (${names.join(', ')})`}, by ${issuer}`,
        `until ${notAfter}, ${until}`,
        `SHA-256 ${fingerprint}`,
      ];
      return `${file}\n${lines.map((line) => `  ${line}\n`).join('')}`;
    })
    .join('');
}
