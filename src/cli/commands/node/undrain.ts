import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { planRestore } from '../../../domain/plan/plan-restore.js';
import type { CliContext } from '../../cli-context.js';
import { followEvacuation } from '../../follow-evacuation.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { printPlan } from '../../render/print-plan.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node undrain <node>`: brings the guests home that a drain moved away. */
export function nodeUndrainCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('undrain', {
    description: 'Let guests onto a node again, and bring those home that a drain moved away',
    examples: ['kedge node undrain node2', 'kedge node undrain node2 --dry-run'],
    notes: 'Exit code 0: all are home. 3: some stayed where they are, with the reason. To stop it: kedge node drain --cancel <node>.',
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--dry-run', 'only tell what would move')
    .option('--parallel <number>', 'moves at a time, 2 when left out', parseArgument.integer(1))
    .option('--detach', 'do not wait for the end')
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      await withCluster(context, globalOptions(command), async (cluster) => {
        if (options.dryRun === true) {
          const snapshot = await cluster.takeSnapshot();
          // It is uncordoned first.
          const nodes = snapshot.nodes.map((each) => (each.name === node && each.state === 'cordoned' ? { ...each, state: 'online' as const } : each));
          printPlan(context, planRestore({ ...snapshot, nodes }, [node]), { json: options.json });
          return;
        }
        const ref = await cluster.startEvacuation('restore', {
          node,
          requestedBy: requestedBy(context.environment),
          options: cluster.migrationDefaults,
          ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
        });
        if (options.detach !== true) await followEvacuation(context, cluster, { node, ref, json: options.json === true });
        else
          printData(context, { event: 'started', node }, { json: options.json, text: () => `Undrain of ${node} started. See it: kedge node status ${node}\n` });
      });
    });
}
