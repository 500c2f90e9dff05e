import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand, newGroup } from '../../new-command.js';
import { admissionText, limitsText } from '../../render/admission-text.js';
import { printData } from '../../render/print-data.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';
import { admissionView } from './admission-view.js';
import { admissionSetCommand } from './set.js';

/** `kedge admission …`. */
export function admissionCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('admission', {
    description: 'Show who moves guests now and who waits for what; show and change the limits of that',
    commands: [showCommand(context), admissionSetCommand(context), resetCommand(context)],
  });
}

function showCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('show', {
    description: 'Show the leases, the queue with why each of it waits, and the limits',
    examples: ['kedge admission show', 'kedge admission show --json'],
  })
    .option('--json', 'JSON')
    .action(async (options, command) => {
      const state = await withCluster(context, globalOptions(command), (cluster) => cluster.admission.show());
      printData(context, admissionView(state), { json: options.json, text: admissionText });
    });
}

function resetCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('reset', {
    description: 'Take back all limits that were set live: those of kedge.yaml hold again, at once',
    examples: ['kedge admission reset'],
  })
    .option('--json', 'JSON')
    .action(async (options, command) => {
      const setBy = requestedBy(context.environment);
      const state = await withCluster(context, globalOptions(command), async (cluster) => {
        await cluster.admission.reset({ setBy });
        return cluster.admission.show();
      });
      printData(context, admissionView(state).limits, { json: options.json, text: limitsText });
    });
}
