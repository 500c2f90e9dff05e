import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { newCommand } from '../new-command.js';

/** `kedge control`: a control worker. One of the few files that compose: it loads the worker, lazily. */
export function controlCommand(): CommandUnknownOpts {
  return newCommand('control', {
    description: 'Run a control worker, which drives the workflows, in the foreground, until SIGTERM',
    examples: ['kedge control'],
    notes: 'Stateless: run as many as you like, anywhere that reaches the Temporal server.',
  }).action(async () => {
    const { runControlWorker } = await import('../../../worker/control-worker.js');
    await runControlWorker();
  });
}
