import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { isFit } from '../../../domain/fence-test.js';
import type { CliContext } from '../../cli-context.js';
import { EXIT_CODES } from '../../exit-codes.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { fencingText } from '../../render/fencing-text.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node fence-test [node]`: would the fencing devices answer when they are needed? */
export function nodeFenceTestCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('fence-test', {
    description: 'Have a control worker ask the fencing devices whether their nodes are on; switches nothing',
    examples: ['kedge node fence-test', 'kedge node fence-test node2', 'kedge node fence-test --json | jq ".tests[].power"'],
    notes: [
      'It uses the fencing.yaml of the control worker that takes the question, and names its machine. Only "status" and "metadata" are asked of agents.',
      'Exit code 0: all devices answered, though there may be warnings. 1: something is wrong that would keep a node from being fenced.',
    ].join('\n'),
  })
    .argument('[node]', 'the node; left out: all that have a device', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      const report = await withCluster(context, globalOptions(command), (cluster) => cluster.testFencing({ node: node ?? null }));
      printData(context, report, { json: options.json, text: fencingText });
      context.setExitCode(isFit(report) ? EXIT_CODES.ok : EXIT_CODES.failed);
    });
}
