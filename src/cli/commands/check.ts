import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../cli-context.js';
import { migrationOptions, withMigrationOptions } from '../migration-options.js';
import { globalOptions, newCommand } from '../new-command.js';
import { parseArgument } from '../parse-arguments.js';
import { printCheck } from '../render/print-check.js';
import { requestedBy } from '../requested-by.js';
import { withCluster } from '../with-cluster.js';

/** `kedge check <vmid> [target]`: everything that would keep a guest from moving, at once. Changes nothing. */
export function checkCommand(context: CliContext): CommandUnknownOpts {
  const command = newCommand('check', {
    description: 'Tell what stands in the way of a migration and what it would cost; changes nothing',
    examples: ['kedge check 101 node2', 'kedge check 101', 'kedge check 101 node2 --restart --json | jq .targets[0].findings'],
    notes:
      'Without a target all other nodes are shown side by side. Takes the options of "kedge migrate". The ids are explained in docs/checks.md.\n' +
      'Exit code 0: the guest can move there, or to one node at least. 3: it can not.',
  });
  return withMigrationOptions(command)
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .argument('[target]', 'the node that it should run on; all when left out', parseArgument.node)
    .option('--json', 'JSON, see docs/check.schema.json')
    .action(async (vmid, target, options, used) => {
      const typed = migrationOptions(options);
      const check = await withCluster(context, globalOptions(used), (cluster) =>
        cluster.checkMigration({
          vmid,
          ...(target === undefined ? {} : { target }),
          ...(options.source === undefined ? {} : { source: options.source }),
          options: { ...cluster.migrationDefaults, ...typed },
          requestedBy: requestedBy(context.environment),
        }),
      );
      printCheck(context, check, { json: options.json });
    });
}
