import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { endReport } from '../../render/error-report.js';
import { printError } from '../../render/print-error.js';
import { repeatedCalls } from '../../render/repeated-calls.js';
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
    .action(async (id, options, command) => {
      const view = await withCluster(context, globalOptions(command), (cluster) => cluster.showMigration(id));
      const witnessGapMs = options.witness === true ? await readWitnessGap({ vmid: view.ref.vmid, environment: context.environment }) : undefined;
      if (options.json === true) {
        context.out(`${JSON.stringify({ ...view, ...(witnessGapMs === undefined ? {} : { witnessGapMs }) }, undefined, 2)}\n`);
        return;
      }
      const end = endReport(view);
      if (view.story === null && end === null) {
        throw new KedgeError('server-unreachable', `Cannot tell the story of migration ${id}: no control worker answers`, {
          details: { remedy: 'Check that "kedge control" runs; the migration itself waits and loses nothing' },
        });
      }
      if (view.story !== null)
        context.out(
          storyText(view.story, {
            nowMs: context.now(),
            failed: end !== null,
            repeated: repeatedCalls(view),
            progress: view.status === 'running' ? view.progress : null,
            ...(witnessGapMs === undefined ? {} : { witnessGapMs }),
          }),
        );
      // Why it failed belongs to the story, and the command itself has succeeded.
      if (end !== null) printError({ ...context, err: context.out }, end, { json: false });
    });
}
