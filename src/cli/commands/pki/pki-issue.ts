import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { NodeName } from '../../../domain/ids.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import { findConfig } from '../../find-config.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { authorityFolder } from './authority-folder.js';

/** `kedge pki issue <node>`: the five files that QEMU on that node needs. */
export function pkiIssueCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('issue', {
    description: 'Issue or renew the certificates of a node',
    examples: ['kedge pki issue node1', 'kedge pki issue node1 --address 10.0.0.11 --address 10.1.0.11 --output /etc/kedge/pki'],
    notes: 'The files belong into /etc/kedge/pki on that node. Migrations under way keep the certificates that they started with.',
  })
    .argument('<node>', 'name of the node', parseArgument.node)
    .option('--address <address>', "an address of the node; may be repeated (else the node's addresses in kedge.yaml)", collect, [])
    .option('--output <folder>', "where the files go (else nodes/<node>/ in the authority's folder)")
    .option('--authority <folder>', 'where the authority is kept (else authority/ beside kedge.yaml)')
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      const authority = authorityFolder(context, options);
      const folder = options.output ?? join(authority, 'nodes', node);
      const addresses = options.address.length > 0 ? options.address : await configuredAddresses(node, { context, config: globalOptions(command) });
      const { issueNodeCertificate } = await import('../../../drivers/pki/issue-node-certificate.js');
      await issueNodeCertificate({ authority, node, addresses, folder });
      const text = `The certificates of ${node} (${addresses.join(', ')}) are in ${folder}\n`;
      printData(context, { node, addresses, folder }, { json: options.json, text: () => text });
    });
}

function collect(address: string, before: readonly string[]): readonly string[] {
  return [...before, address];
}

async function configuredAddresses(node: NodeName, where: { readonly context: CliContext; readonly config: { config?: string } }): Promise<readonly string[]> {
  const file = await findConfig(where.config, where.context.environment);
  const { loadClusterConfig } = await import('../../../config/load-cluster-config.js');
  const { nodes } = await loadClusterConfig(file);
  const entry = nodes[node];
  if (entry === undefined) {
    throw new KedgeError('not-found', `Cannot issue certificates for ${node}: ${file} has ${Object.keys(nodes).join(', ')}`, {
      details: { remedy: 'Add the node to kedge.yaml, or name its addresses with --address' },
    });
  }
  return [...new Set([entry.address, entry.migrationAddress])];
}
