import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { place } from '../../../domain/plan/place.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printPlacement } from '../../render/print-plan.js';
import { readSnapshot, withPlanOptions } from './plan-options.js';

/** `kedge plan place <vmid>`: which nodes would be good for a guest, and why the others would not. */
export function planPlaceCommand(context: CliContext): CommandUnknownOpts {
  const command = newCommand('place', {
    description: 'Weigh all nodes as a place for a guest',
    examples: ['kedge plan place 101 --snapshot cluster.json'],
    notes:
      'The fewer points the better: how full the node is with it, wishes that are not met, disks to copy, slow cores. Exit code 3: no other node can take it.',
  });
  return withPlanOptions(command)
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .action(async (vmid, options, command) => {
      printPlacement(context, place(await readSnapshot(context, { ...globalOptions(command), snapshot: options.snapshot }), vmid), { json: options.json });
    });
}
