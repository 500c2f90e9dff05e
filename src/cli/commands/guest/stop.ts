import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { guestVerbCommand } from '../../guest-verb.js';

/** `kedge guest stop <vmid>`. */
export function guestStopCommand(context: CliContext): CommandUnknownOpts {
  return guestVerbCommand(context, {
    verb: 'stop',
    description: 'Switch a guest off at once, as by pulling its plug',
    done: 'is off',
    notes: 'For a clean end use "kedge guest shutdown".',
  });
}
