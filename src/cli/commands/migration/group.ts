import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { migrationCancelCommand } from './cancel.js';
import { migrationDecideCommand } from './decide.js';
import { migrationListCommand } from './list.js';
import { migrationReleaseCommand } from './release.js';
import { migrationRetryCommand } from './retry.js';
import { migrationShowCommand } from './show.js';
import { migrationWatchCommand } from './watch.js';

/** `kedge migration …`. */
export function migrationCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('migration', {
    description: 'List, show, watch, cancel, release, retry and decide migrations',
    commands: [
      migrationListCommand(context),
      migrationShowCommand(context),
      migrationWatchCommand(context),
      migrationCancelCommand(context),
      migrationReleaseCommand(context),
      migrationRetryCommand(context),
      migrationDecideCommand(context),
    ],
  });
}
