import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { guestVerbCommand } from '../../guest-verb.js';

/** `kedge guest pause <vmid>`. */
export function guestPauseCommand(context: CliContext): CommandUnknownOpts {
  return guestVerbCommand(context, {
    verb: 'pause',
    description: 'Pause a guest; a paused guest stays paused through a migration',
    done: 'is paused',
  });
}
