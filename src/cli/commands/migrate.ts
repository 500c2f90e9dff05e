import { Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { SLOT_PRIORITIES } from '../../domain/admission.js';
import type { CliContext } from '../cli-context.js';
import { followMigration } from '../follow-migration.js';
import { migrationOptions, withMigrationOptions } from '../migration-options.js';
import { globalOptions, newCommand } from '../new-command.js';
import { parseArgument } from '../parse-arguments.js';
import { printCheck } from '../render/print-check.js';
import { requestedBy } from '../requested-by.js';
import { withCluster } from '../with-cluster.js';

/** `kedge migrate <vmid> <target>`: moves a guest and shows how it goes; with --dry-run it only tells what would. */
export function migrateCommand(context: CliContext): CommandUnknownOpts {
  const command = newCommand('migrate', {
    description: 'Move a guest to another node',
    examples: [
      'kedge migrate 101 node2',
      'kedge migrate 101 node2 --max-downtime 100 --on-stall force',
      'kedge migrate 101 node2 --hold --until +30m --detach',
      'kedge migrate 101 node2 --restart --targetstorage fast',
      'kedge migrate 101 node2 --dry-run',
    ],
    notes:
      'A virtual machine that runs moves live. With --restart a guest is shut down, moved with its disks and started again; one that is off moves as it is.\n' +
      'Options left out are as kedge.yaml says, then datacenter.cfg. Ctrl-C lets go of the migration, it does not cancel it.',
  });
  return withMigrationOptions(command)
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .argument('<target>', 'the node that it shall run on', parseArgument.node)
    .option('--dry-run', 'only tell what stands in the way and what it would cost')
    .addOption(
      new Option('--priority <priority>', 'whose turn it is when slots are rare; failure: a node is about to fail, also in a blackout').choices(
        SLOT_PRIORITIES,
      ),
    )
    .option('--detach', 'do not wait for the end')
    .option('--json', 'one JSON object a line')
    .action(async (vmid, target, options, command) => {
      const typed = migrationOptions(options);
      await withCluster(context, globalOptions(command), async (cluster) => {
        const input = {
          vmid,
          target,
          ...(options.source === undefined ? {} : { source: options.source }),
          options: { ...cluster.migrationDefaults, ...typed },
          requestedBy: requestedBy(context.environment),
          ...(options.priority === undefined ? {} : { priority: options.priority }),
        };
        if (options.dryRun === true) {
          printCheck(context, await cluster.checkMigration(input), { json: options.json });
          return;
        }
        const begin = () => cluster.startMigration(input);
        if (options.detach !== true) {
          await followMigration(context, cluster, { begin, json: options.json === true });
          return;
        }
        await begin();
        if (options.json === true) context.out(`${JSON.stringify({ event: 'started', vmid, target })}\n`);
        else context.out(`Migration of guest ${String(vmid)} to ${target} started. Watch it: kedge migration watch ${String(vmid)}\n`);
      });
    });
}
