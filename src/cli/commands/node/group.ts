import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { nodeConfirmDeadCommand } from './confirm-dead.js';
import { nodeCordonCommand } from './cordon.js';
import { nodeDrainCommand } from './drain.js';
import { nodeFenceTestCommand } from './fence-test.js';
import { nodeListCommand } from './list.js';
import { nodeRecoveryCommand } from './recovery.js';
import { nodeRunCommand } from './run.js';
import { nodeShowCommand } from './show.js';
import { nodeStatusCommand } from './status.js';
import { nodeUncordonCommand } from './uncordon.js';
import { nodeUndrainCommand } from './undrain.js';

/** `kedge node …`. */
export function nodeCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('node', {
    description: 'List, show, cordon, drain, fill and give up nodes; run the worker of this node',
    commands: [
      nodeListCommand(context),
      nodeShowCommand(context),
      nodeStatusCommand(context),
      nodeCordonCommand(context),
      nodeUncordonCommand(context),
      nodeDrainCommand(context),
      nodeUndrainCommand(context),
      nodeRecoveryCommand(context),
      nodeConfirmDeadCommand(context),
      nodeFenceTestCommand(context),
      nodeRunCommand(),
    ],
  });
}
