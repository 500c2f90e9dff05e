import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { failureReport } from '../../render/error-report.js';
import { printError } from '../../render/print-error.js';
import { storyText } from '../../render/story-text.js';
import { readWitnessGap } from '../../witness-gap.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration show <id>`: the whole story, while it runs and afterwards. */
export function migrationShowCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('show', {
    description: 'Tell the whole story of a migration: who, when, each step, rounds, blackout, outcome, open question',
    examples: ['kedge migration show 101-7', 'kedge migration show 101', 'kedge migration show 101-7 --json'],
  })
    .argument('<id>', 'like 101-7, or a vmid for its newest migration', parseArgument.migration)
    .option('--witness', 'in a lab: also the longest gap that its observer saw from outside')
    .option('--json', 'JSON')
    .action(async (ref, options, command) => {
      const look = await withCluster(context, globalOptions(command), (cluster) => cluster.lookAtMigration(ref));
      const witnessGapMs = options.witness === true ? await readWitnessGap({ vmid: ref.vmid, environment: context.environment }) : undefined;
      if (options.json === true) {
        context.out(`${JSON.stringify({ ...look, ...(witnessGapMs === undefined ? {} : { witnessGapMs }) }, undefined, 2)}\n`);
        return;
      }
      if (look.story === null && look.failure === null) {
        throw new KedgeError('server-unreachable', `Cannot tell the story of the migration of guest ${String(ref.vmid)}: no control worker answers`, {
          details: { remedy: 'Check that "kedge control" runs; the migration itself waits and loses nothing' },
        });
      }
      if (look.story !== null) context.out(storyText(look.story, { nowMs: context.now(), ...(witnessGapMs === undefined ? {} : { witnessGapMs }) }));
      // Why it failed belongs to the story, and the command itself has succeeded.
      if (look.failure !== null) printError({ ...context, err: context.out }, failureReport(look.failure), { json: false });
    });
}
