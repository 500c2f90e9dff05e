import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration release <id>`: ends a hold, the switchover follows. */
export function migrationReleaseCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('release', {
    description: 'End the hold of a migration that was started with --hold: switch over now',
    examples: ['kedge migration release 101-7'],
  })
    .argument('<id>', 'like 101-7, or a vmid for its newest migration', parseArgument.migration)
    .option('--json', 'JSON')
    .action(async (id, options, command) => {
      await withCluster(context, globalOptions(command), (cluster) => cluster.releaseMigration(id));
      printData(context, { id, released: true }, { json: options.json, text: () => `Released. Watch it: kedge migration watch ${id}\n` });
    });
}
