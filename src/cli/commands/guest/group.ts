import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { guestCreateCommand } from './create.js';
import { guestDestroyCommand } from './destroy.js';
import { guestListCommand } from './list.js';
import { guestPauseCommand } from './pause.js';
import { guestResumeCommand } from './resume.js';
import { guestShowCommand } from './show.js';
import { guestShutdownCommand } from './shutdown.js';
import { guestStartCommand } from './start.js';
import { guestStopCommand } from './stop.js';

/** `kedge guest …`. */
export function guestCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('guest', {
    description: 'Create, list, show, start, stop, shut down, pause, resume and destroy guests',
    commands: [
      guestCreateCommand(context),
      guestListCommand(context),
      guestShowCommand(context),
      guestStartCommand(context),
      guestStopCommand(context),
      guestShutdownCommand(context),
      guestPauseCommand(context),
      guestResumeCommand(context),
      guestDestroyCommand(context),
    ],
  });
}
