import { Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { withForce } from '../../../domain/drain/plan-view.js';
import { planRestore } from '../../../domain/plan/plan-restore.js';
import type { CliContext } from '../../cli-context.js';
import { evacuationInput } from '../../evacuation-input.js';
import { followEvacuation } from '../../follow-evacuation.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { printPlan } from '../../render/print-plan.js';
import { withCluster } from '../../with-cluster.js';

/** None is shut down to come home: it would be off where it does not belong. */
const RESTORE_FORCES = ['offline', 'skip'] as const;

/** `kedge node undrain <node>`: brings the guests home that a drain moved away. */
export function nodeUndrainCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('undrain', {
    description: 'Let guests onto a node again, and bring those home that a drain moved away',
    examples: ['kedge node undrain node2', 'kedge node undrain node2 --dry-run', 'kedge node undrain node2 --wait-until +2h --force offline'],
    notes: 'Exit code 0: all are home. 3: some stayed where they are, with the reason. To stop it: kedge node drain --cancel <node>.',
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--dry-run', 'only tell what would move')
    .option('--parallel <number>', 'moves at a time, 2 when left out', parseArgument.integer(1))
    .option('--until <instant>', 'begin no move that may end later, e.g. 2026-03-01T02:30:00Z or +2h', parseArgument.instant)
    .option('--wait-until <instant>', 'wait so long for guests whose policy it is; left out: without end', parseArgument.instant)
    .addOption(
      new Option('--force <policy>', 'with --wait-until: what becomes of waiting guests then: moved switched off, or left (skip)').choices(RESTORE_FORCES),
    )
    .option('--ignore-blackout', 'move guests although a blackout is on; left out: wait until it ends')
    .option('--detach', 'do not wait for the end')
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      await withCluster(context, globalOptions(command), async (cluster) => {
        if (options.dryRun === true) {
          const snapshot = await cluster.takeSnapshot();
          // It is uncordoned first.
          const nodes = snapshot.nodes.map((each) => (each.name === node && each.state === 'cordoned' ? { ...each, state: 'online' as const } : each));
          printPlan(context, planRestore(withForce({ ...snapshot, nodes }, options.force ?? null), [node]), { json: options.json });
          return;
        }
        const ref = await cluster.startEvacuation('restore', evacuationInput(options, { node, cluster, context }));
        if (options.detach !== true) await followEvacuation(context, cluster, { node, ref, json: options.json === true });
        else
          printData(context, { event: 'started', node }, { json: options.json, text: () => `Undrain of ${node} started. See it: kedge node status ${node}\n` });
      });
    });
}
