import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { nodeCordonCommand } from './cordon.js';
import { nodeDrainCommand } from './drain.js';
import { nodeListCommand } from './list.js';
import { nodeRunCommand } from './run.js';
import { nodeShowCommand } from './show.js';
import { nodeStatusCommand } from './status.js';
import { nodeUncordonCommand } from './uncordon.js';
import { nodeUndrainCommand } from './undrain.js';

/** `kedge node …`. */
export function nodeCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('node', {
    description: 'List, show, cordon, drain and fill nodes; run the worker of this node',
    commands: [
      nodeListCommand(context),
      nodeShowCommand(context),
      nodeStatusCommand(context),
      nodeCordonCommand(context),
      nodeUncordonCommand(context),
      nodeDrainCommand(context),
      nodeUndrainCommand(context),
      nodeRunCommand(),
    ],
  });
}
