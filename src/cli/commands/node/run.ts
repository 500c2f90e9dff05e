import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { newCommand } from '../../new-command.js';

/** `kedge node run`: the worker of this node. One of the few files that compose: it loads the worker, lazily. */
export function nodeRunCommand(): CommandUnknownOpts {
  return newCommand('run', {
    description: 'Run the worker of this node, in the foreground, until SIGTERM',
    examples: ['kedge node run', 'KEDGE_ETC=/srv/node1/etc kedge node run'],
    notes: 'Reads /etc/kedge/kedge.yaml and node.yaml; one at a time on a node. Guests are no children of it: they run on without it.',
  }).action(async () => {
    const { runNodeWorker } = await import('../../../../worker/node-worker.js');
    await runNodeWorker();
  });
}
