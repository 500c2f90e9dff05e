import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { nodeConfirmDeadCommand } from './confirm-dead.js';
import { nodeCordonCommand } from './cordon.js';
import { nodeListCommand } from './list.js';
import { nodeRecoveryCommand } from './recovery.js';
import { nodeRunCommand } from './run.js';
import { nodeShowCommand } from './show.js';
import { nodeUncordonCommand } from './uncordon.js';

/** `kedge node …`. */
export function nodeCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('node', {
    description: 'List, show, cordon, uncordon and give up nodes; run the worker of this node',
    commands: [
      nodeListCommand(context),
      nodeShowCommand(context),
      nodeCordonCommand(context),
      nodeUncordonCommand(context),
      nodeRecoveryCommand(context),
      nodeConfirmDeadCommand(context),
      nodeRunCommand(),
    ],
  });
}
