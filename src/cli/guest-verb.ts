import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from './cli-context.js';
import { globalOptions, newCommand } from './new-command.js';
import { parseArgument } from './parse-arguments.js';
import { printData } from './render/print-data.js';
import { withCluster } from './with-cluster.js';

/** A command that asks the owner of a guest to do one thing and says that it is done. `done`: "Guest 101 <done>". */
export function guestVerbCommand(
  context: CliContext,
  spec: { verb: 'start' | 'stop' | 'pause' | 'resume'; description: string; done: string; notes?: string },
): CommandUnknownOpts {
  return newCommand(spec.verb, {
    description: spec.description,
    examples: [`kedge guest ${spec.verb} 101`],
    ...(spec.notes === undefined ? {} : { notes: spec.notes }),
  })
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .option('--json', 'JSON')
    .action(async (vmid, options, command) => {
      const answer = await withCluster(context, globalOptions(command), (cluster) => cluster.manageGuest({ command: { verb: spec.verb, vmid } }));
      printData(context, answer, { json: options.json, text: () => `Guest ${String(vmid)} ${spec.done}\n` });
    });
}
