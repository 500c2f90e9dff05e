import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge hook test <name>`: has a control worker tell a hook of a test event. */
export function hookTestCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('test', {
    description: 'Have a control worker tell a hook of a test event, once, and say what came back',
    examples: ['kedge hook test pager'],
    notes: 'Hooks stand in kedge.yaml of the control workers. The exit code is 1 when the hook did not take it.',
  })
    .argument('<name>', 'the hook', parseArgument.hook)
    .option('--json', 'JSON')
    .action(async (hook, options, command) => {
      const { answer } = await withCluster(context, globalOptions(command), (cluster) => cluster.hooks.test(hook, requestedBy(context.environment)));
      printData(context, { hook, answer }, { json: options.json, text: () => `Hook ${hook} took it: ${answer.replace(/\p{Cc}+/gu, ' ')}\n` });
    });
}
