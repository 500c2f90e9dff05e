import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge guest shutdown <vmid>`: asks the guest to end, by ACPI. */
export function guestShutdownCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('shutdown', {
    description: 'Ask a guest to shut itself down (ACPI), and wait for it',
    examples: ['kedge guest shutdown 101', 'kedge guest shutdown 101 --timeout 5m'],
    notes: 'A guest that does not end in time runs on, and the command fails with exit code 4.',
  })
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .option('--timeout <span>', 'how long to wait', parseArgument.duration, 180_000)
    .option('--json', 'JSON')
    .action(async (vmid, options, command) => {
      const answer = await withCluster(context, globalOptions(command), (cluster) =>
        cluster.manageGuest({ command: { verb: 'shutdown', vmid, timeoutMs: options.timeout } }),
      );
      printData(context, answer, { json: options.json, text: () => `Guest ${String(vmid)} has shut down\n` });
    });
}
