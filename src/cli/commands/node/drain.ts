import { Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { SLOT_PRIORITIES } from '../../../domain/admission.js';
import { withForce } from '../../../domain/drain/plan-view.js';
import { FORCES } from '../../../domain/drain/resolve-evacuation.js';
import { planEvacuation } from '../../../domain/plan/plan-evacuation.js';
import type { CliContext } from '../../cli-context.js';
import { evacuationInput } from '../../evacuation-input.js';
import { followEvacuation } from '../../follow-evacuation.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { printPlan } from '../../render/print-plan.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node drain <node>`: moves all guests away. */
export function nodeDrainCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('drain', {
    description: 'Move all guests of a node to other nodes, and let no new ones onto it',
    examples: [
      'kedge node drain node2 --dry-run',
      'kedge node drain node2 --parallel 4',
      'kedge node drain node2 --wait-until +2h --force offline --detach',
      'kedge node drain --cancel node2',
    ],
    notes:
      'Exit code 0: it is empty. 3: some guests stayed, with the reason. Ctrl-C lets go of the drain, it does not cancel it.\n' +
      'A cancel lets moves that have their slot go on to their end; the node stays cordoned.',
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--dry-run', 'only tell what would move where')
    .option('--parallel <number>', 'moves at a time, 2 when left out', parseArgument.integer(1))
    .option('--until <instant>', 'begin no move that may end later, e.g. 2026-03-01T02:30:00Z or +2h', parseArgument.instant)
    .option('--wait-until <instant>', 'wait so long for guests whose policy it is; left out: without end', parseArgument.instant)
    .addOption(
      new Option('--force <policy>', 'with --wait-until: what becomes of waiting guests then: moved switched off, shut down, or left (skip)').choices(FORCES),
    )
    .option('--ignore-blackout', 'move guests although a blackout is on; left out: wait until it ends')
    .addOption(
      new Option('--priority <priority>', 'whose turn it is when slots are rare; failure: a node is about to fail, also in a blackout').choices(
        SLOT_PRIORITIES,
      ),
    )
    .option('--detach', 'do not wait for the end')
    .option('--cancel', 'begin no more moves')
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      await withCluster(context, globalOptions(command), async (cluster) => {
        if (options.cancel === true) {
          await cluster.cancelEvacuation(node);
          printData(context, { node, cancelled: true }, { json: options.json, text: () => `No more moves begin; see "kedge node status ${node}"\n` });
          return;
        }
        if (options.dryRun === true) {
          printPlan(context, planEvacuation(withForce(await cluster.takeSnapshot(), options.force ?? null), [node]), { json: options.json });
          return;
        }
        const ref = await cluster.startEvacuation('evacuate', evacuationInput(options, { node, cluster, context }));
        if (options.detach !== true) await followEvacuation(context, cluster, { node, ref, json: options.json === true });
        else
          printData(context, { event: 'started', node }, { json: options.json, text: () => `Drain of ${node} started. See it: kedge node status ${node}\n` });
      });
    });
}
