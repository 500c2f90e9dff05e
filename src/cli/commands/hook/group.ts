import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { hookTestCommand } from './test.js';

/** `kedge hook …`. */
export function hookCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('hook', { description: 'Test who is told of events', commands: [hookTestCommand(context)] });
}
