import { Argument, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { newCommand } from '../new-command.js';

/** `kedge completion <shell>`: declared here for help and suggestions; `run-completion.ts` answers it, with all commands loaded. */
export function completionCommand(): CommandUnknownOpts {
  return newCommand('completion', {
    description: 'Print the script that completes commands in a shell: bash, zsh or fish',
    examples: ['source <(kedge completion bash)', 'kedge completion fish > ~/.config/fish/completions/kedge.fish'],
  }).addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']));
}
