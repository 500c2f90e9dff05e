import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node cordon <node>`: no new guests there. */
export function nodeCordonCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('cordon', {
    description: 'Let no new guests onto a node; those that it has stay',
    examples: ['kedge node cordon node1'],
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      await withCluster(context, globalOptions(command), (cluster) => cluster.cordonNode(node, true));
      printData(context, { node, cordoned: true }, { json: options.json, text: () => `${node} takes no new guests\n` });
    });
}
