import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { InvalidArgumentError } from 'commander';
import type { CliContext } from '../../cli-context.js';
import { newCommand } from '../../new-command.js';
import { printData } from '../../render/print-data.js';
import { authorityFolder } from './authority-folder.js';

/** `kedge pki init`: the authority of a cluster, made once on one machine. */
export function pkiInitCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('init', {
    description: "Make the cluster's certificate authority, once, on one machine",
    examples: ['kedge pki init --cluster production'],
    notes: 'Its key stays on this machine: keep a copy of the folder in a safe place, and give it to nobody.',
  })
    .option('--cluster <name>', 'name of the cluster, in the certificate', clusterName, 'kedge')
    .option('--authority <folder>', 'where the authority is kept (else authority/ beside kedge.yaml)')
    .option('--json', 'JSON')
    .action(async (options) => {
      const folder = authorityFolder(context, options);
      const { createAuthority } = await import('../../../drivers/pki/create-authority.js');
      await createAuthority(folder, { cluster: options.cluster });
      const text = `The authority of ${options.cluster} is in ${folder}. Certificates for a node: kedge pki issue <node>\n`;
      printData(context, { cluster: options.cluster, authority: folder }, { json: options.json, text: () => text });
    });
}

/** Goes into a distinguished name: no character may have a meaning there. */
function clusterName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError(`Current value is "${text}", must be letters, digits and hyphens.`);
}
