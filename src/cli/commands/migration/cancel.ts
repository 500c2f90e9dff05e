import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration cancel <id>`: everything as before, or a refusal once the switchover has begun. */
export function migrationCancelCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('cancel', {
    description: 'Cancel a migration: the guest stays at the source; refused once the switchover has begun',
    examples: ['kedge migration cancel 101-7'],
  })
    .argument('<id>', 'like 101-7, or a vmid for its newest migration', parseArgument.migration)
    .option('--json', 'JSON')
    .action(async (id, options, command) => {
      await withCluster(context, globalOptions(command), (cluster) => cluster.cancelMigration(id));
      printData(context, { id, cancelled: true }, { json: options.json, text: () => `Migration ${id} is cancelled; the guest stays at the source\n` });
    });
}
