import { Argument, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { OPERATOR_DECISIONS } from '../../../domain/migration.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration decide <id> retry|skip|abandon`: answers the question of a migration in needs-operator. */
export function migrationDecideCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('decide', {
    description: 'Answer a migration that needs an operator; "kedge migration show" tells what each answer does and risks',
    examples: ['kedge migration decide 101-7 retry'],
  })
    .argument('<id>', 'like 101-7, or a vmid for its newest migration', parseArgument.migration)
    .addArgument(new Argument('<decision>', 'what to do').choices(OPERATOR_DECISIONS))
    .option('--json', 'JSON')
    .action(async (id, decision, options, command) => {
      await withCluster(context, globalOptions(command), (cluster) => cluster.decideMigration(id, decision));
      printData(context, { id, decision }, { json: options.json, text: () => `Decided: ${decision}. Watch it: kedge migration watch ${id}\n` });
    });
}
