import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge guest destroy <vmid> --yes`: config and disks are gone afterwards. */
export function guestDestroyCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('destroy', {
    description: 'Remove a guest that is off, with its config and its disks',
    examples: ['kedge guest destroy 101 --yes'],
    notes: 'This cannot be undone: the disks are deleted.',
  })
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .option('--yes', 'really')
    .option('--json', 'JSON')
    .action(async (vmid, options, command) => {
      if (options.yes !== true) {
        throw new KedgeError('bad-input', `Cannot destroy guest ${String(vmid)} without --yes: its disks would be deleted`, {
          details: { remedy: 'Add --yes if you mean it' },
        });
      }
      const answer = await withCluster(context, globalOptions(command), (cluster) => cluster.manageGuest({ command: { verb: 'destroy', vmid } }));
      printData(context, answer, { json: options.json, text: () => `Guest ${String(vmid)} is gone\n` });
    });
}
