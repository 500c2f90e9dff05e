import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { ERROR_CODES } from '../../domain/error-codes.js';
import { recommend } from '../../domain/recommend.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_CODES } from '../exit-codes.js';
import { globalOptions, newCommand } from '../new-command.js';
import { parseArgument } from '../parse-arguments.js';
import { printData } from '../render/print-data.js';
import { recommendationText } from '../render/recommendation-text.js';
import { withCluster } from '../with-cluster.js';

/** `kedge recommend <vmid>`: is another node better for this guest? */
export function recommendCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('recommend', {
    description: 'Tell which node is better for a guest, why, and what the move would cost; changes nothing',
    examples: ['kedge recommend 101', 'kedge recommend 101 --json'],
    notes: 'Exit code 0: a better node is named, or the guest is fine where it is. 3: it would not be moved at all, with the reason.',
  })
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .option('--json', 'JSON with all nodes')
    .action(async (vmid, options, command) => {
      const found = await withCluster(context, globalOptions(command), async (cluster) =>
        recommend(await cluster.takeSnapshot(), vmid, cluster.migrationDefaults),
      );
      context.setExitCode(found.advice === 'fixed' ? ERROR_CODES['migration-refused'].exitCode : EXIT_CODES.ok);
      printData(context, found, { json: options.json, text: recommendationText });
    });
}
