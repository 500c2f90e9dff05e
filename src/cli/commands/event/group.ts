import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { eventListCommand } from './list.js';

/** `kedge event …`. */
export function eventCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('event', { description: 'List what has happened in the cluster, and follow what happens', commands: [eventListCommand(context)] });
}
