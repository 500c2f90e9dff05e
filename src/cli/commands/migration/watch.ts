import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { followMigration } from '../../follow-migration.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration watch <id>`: progress until the end; Ctrl-C lets go. */
export function migrationWatchCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('watch', {
    description: 'Show a migration until it ends; the exit code is that of its end',
    examples: ['kedge migration watch 101-7', 'kedge migration watch 101 --json | jq .bytesLeft'],
  })
    .argument('<id>', 'like 101-7, or a vmid for its newest migration', parseArgument.migration)
    .option('--json', 'one JSON object a line')
    .action(async (id, options, command) => {
      await withCluster(context, globalOptions(command), (cluster) =>
        followMigration(context, cluster, { begin: () => Promise.resolve(id), json: options.json === true }),
      );
    });
}
