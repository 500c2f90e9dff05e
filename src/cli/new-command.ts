import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';

/** A command with its one-line description and at least one example, which its help shows at the end. */
export function newCommand(name: string, texts: { description: string; examples: readonly [string, ...string[]]; notes?: string }): Command {
  const examples = texts.examples.map((example) => `  $ ${example}`).join('\n');
  return new Command(name)
    .description(texts.description)
    .addHelpText('after', `\n${texts.notes === undefined ? '' : `${texts.notes}\n\n`}Examples:\n${examples}`);
}

/** A command that only holds others, e.g. `kedge guest`. */
export function newGroup(name: string, texts: { description: string; commands: readonly CommandUnknownOpts[] }): CommandUnknownOpts {
  const group = new Command(name).description(texts.description);
  for (const command of texts.commands) group.addCommand(command);
  return group;
}

/** The value of the program's own option `--config`, which stands before or after the command. */
export function globalOptions(command: CommandUnknownOpts): { config?: string } {
  const value: unknown = command.optsWithGlobals()['config'];
  return typeof value === 'string' ? { config: value } : {};
}
