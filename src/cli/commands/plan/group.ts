import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { planBalanceCommand } from './balance.js';
import { planEvacuateCommand, planRestoreCommand } from './evacuate.js';
import { planPlaceCommand } from './place.js';

/** `kedge plan …`: what the planner would do with this cluster, or one that a file describes. */
export function planCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('plan', {
    description: 'Plan moves for this cluster, or for a snapshot of one; changes nothing',
    commands: [planEvacuateCommand(context), planRestoreCommand(context), planBalanceCommand(context), planPlaceCommand(context)],
  });
}
