import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node confirm-dead <node>`: its guests on shared storages are started elsewhere. */
export function nodeConfirmDeadCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('confirm-dead', {
    description: 'State that the power of a silent node is off: its guests on shared storages are started elsewhere',
    examples: ['kedge node confirm-dead node2 --confirm node2'],
    notes: 'Wrongly stated, its guests may run twice and destroy their disks: look at the machine first. Refused while anything answers from it.',
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--confirm <node>', 'its name again: the machine whose power you made sure to be off', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      if (options.confirm !== node) {
        throw new KedgeError(
          'bad-input',
          `Cannot give ${node} up: current value of --confirm is ${options.confirm ?? 'absent'}, must be ${node}. RISK: if ${node} is only cut off and still has power, its guests may run twice`,
          { details: { remedy: `Make sure that the power of ${node} is off, then add --confirm ${node}` } },
        );
      }
      await withCluster(context, globalOptions(command), (cluster) => cluster.confirmDead({ node, statedBy: requestedBy(context.environment) }));
      printData(context, { node, confirmed: true }, { json: options.json, text: () => `${node} is given up. Watch it: kedge node recovery ${node}\n` });
    });
}
