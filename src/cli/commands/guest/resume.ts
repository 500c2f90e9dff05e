import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { guestVerbCommand } from '../../guest-verb.js';

/** `kedge guest resume <vmid>`. */
export function guestResumeCommand(context: CliContext): CommandUnknownOpts {
  return guestVerbCommand(context, {
    verb: 'resume',
    description: 'Let a paused guest run on',
    done: 'runs',
  });
}
