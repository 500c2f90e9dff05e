import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { NodeName } from '../../../domain/ids.js';
import { planEvacuation } from '../../../domain/plan/plan-evacuation.js';
import { planRestore } from '../../../domain/plan/plan-restore.js';
import type { Plan } from '../../../domain/plan/plan.js';
import type { ClusterSnapshot } from '../../../domain/plan/snapshot.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printPlan } from '../../render/print-plan.js';
import { readSnapshot, withPlanOptions } from './plan-options.js';

/** `kedge plan evacuate <node…>`: how nodes could be emptied. */
export function planEvacuateCommand(context: CliContext): CommandUnknownOpts {
  return nodesCommand(context, 'evacuate', {
    description: 'Plan to empty nodes',
    example: 'kedge plan evacuate node2',
    plan: planEvacuation,
  });
}

/** `kedge plan restore <node…>`: how the guests of nodes could come home. */
export function planRestoreCommand(context: CliContext): CommandUnknownOpts {
  return nodesCommand(context, 'restore', {
    description: 'Plan to bring the guests of nodes home',
    example: 'kedge plan restore node2 --snapshot cluster.json --json | jq .moves',
    plan: planRestore,
  });
}

interface NodesPlan {
  readonly description: string;
  readonly example: string;
  readonly plan: (snapshot: ClusterSnapshot, nodes: readonly NodeName[]) => Plan;
}

function nodesCommand(context: CliContext, name: string, { description, example, plan }: NodesPlan): CommandUnknownOpts {
  const command = newCommand(name, {
    description,
    examples: [example],
    notes: 'Exit code 0: every guest can go. 3: some stay, with the reason.',
  });
  return withPlanOptions(command)
    .argument('<node...>', 'the nodes', (text: string, earlier: readonly NodeName[]) => [...earlier, parseArgument.node(text)], [])
    .action(async (nodes, options, command) => {
      printPlan(context, plan(await readSnapshot(context, { ...globalOptions(command), snapshot: options.snapshot }), nodes), { json: options.json });
    });
}
