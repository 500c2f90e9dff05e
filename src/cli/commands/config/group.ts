import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { configCheckCommand } from './check.js';

/** `kedge config …`: config files in PVE's grammar. */
export function configCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('config', {
    description: 'Check config files of guests, storages and the datacenter in the grammar of PVE',
    commands: [configCheckCommand(context)],
  });
}
