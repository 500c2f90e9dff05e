import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { guestVerbCommand } from '../../guest-verb.js';

/** `kedge guest start <vmid>`. */
export function guestStartCommand(context: CliContext): CommandUnknownOpts {
  return guestVerbCommand(context, {
    verb: 'start',
    description: 'Start a guest on the node that owns it',
    done: 'runs',
    notes: 'Only the owner may start it. Not the owner, or no owner: "kedge guest show" tells why.',
  });
}
