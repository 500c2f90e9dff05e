import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node uncordon <node>`: new guests are welcome again. */
export function nodeUncordonCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('uncordon', {
    description: 'Let new guests onto a node again',
    examples: ['kedge node uncordon node1'],
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      await withCluster(context, globalOptions(command), (cluster) => cluster.cordonNode(node, false));
      printData(context, { node, cordoned: false }, { json: options.json, text: () => `${node} takes new guests again\n` });
    });
}
