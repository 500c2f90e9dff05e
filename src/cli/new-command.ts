import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';

/** The first example of each command, for the help of its group. */
const FIRST_EXAMPLES = new WeakMap<object, string>();
const SHOWN_OF_GROUP = 3;

/** A command with its one-line description and at least one example, which its help shows at the end. */
export function newCommand(name: string, texts: { description: string; examples: readonly [string, ...string[]]; notes?: string }): Command {
  const command = new Command(name)
    .description(texts.description)
    .addHelpText('after', `\n${texts.notes === undefined ? '' : `${texts.notes}\n\n`}${examplesText(texts.examples)}`);
  FIRST_EXAMPLES.set(command, texts.examples[0]);
  return command;
}

const examplesText = (examples: readonly string[]): string => `Examples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`;

/** A command that only holds others, e.g. `kedge guest`; its help shows an example of the first few. */
export function newGroup(name: string, texts: { description: string; commands: readonly CommandUnknownOpts[] }): CommandUnknownOpts {
  const group = new Command(name).description(texts.description);
  for (const command of texts.commands) group.addCommand(command);
  const examples = texts.commands.flatMap((command) => FIRST_EXAMPLES.get(command) ?? []).slice(0, SHOWN_OF_GROUP);
  return examples.length === 0 ? group : group.addHelpText('after', `\n${examplesText(examples)}`);
}

/** The value of the program's own option `--config`, which stands before or after the command. */
export function globalOptions(command: CommandUnknownOpts): { config?: string } {
  const value: unknown = command.optsWithGlobals()['config'];
  return typeof value === 'string' ? { config: value } : {};
}
